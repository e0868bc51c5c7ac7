/** Places (specs/04, 07): H3 cells as integers, keys of the DHT, topics, and covers of circles. */
import {
  cellToBoundary, cellToChildren, cellToLatLng, cellToParent, getHexagonAreaAvg, getResolution, greatCircleDistance,
  gridDisk, gridDistance, latLngToCell, UNITS
} from 'h3-js'
import { sha256 } from './bytes.js'
import { encode } from './cbor.js'
import { requireCell } from './rules.js'

export const COARSEST = 4
export const FINEST = 8
const TOPIC_RESOLUTION = 5
const MAX_QUERY_CELLS = 64
const OVERHANG = 0.06 // a little over 1/19

/** An integer from H3's text. */
export const toInteger = (text) => BigInt(`0x${text}`)

/** H3's text of an integer; Refused `cell` unless it is a cell of resolution 4 to 8. */
export function toText (cell) {
  requireCell(cell)
  return BigInt(cell).toString(16)
}

/** The ancestor at a resolution, or the cell itself where it is that coarse already. */
export function ancestor (cell, resolution) {
  const text = toText(cell)
  return toInteger(getResolution(text) <= resolution ? text : cellToParent(text, resolution))
}

/** The resolution 4 ancestor: region of log entries, and leaf of the tree that caretakers keep. */
export const region = (cell) => ancestor(cell, COARSEST)

/** The key whose nearest nodes keep a leaf. */
export const leafKey = (network, leaf, shard = 0) => sha256(encode(['chargemesh/cell', network, BigInt(leaf), shard]))

/** The gossip topic of a public cell. */
export const topicOf = (network, cell) => `chargemesh/${network}/cell/${toText(ancestor(cell, TOPIC_RESOLUTION))}`

/** Whether one cell lies in the other, either way, or they are the same. */
export function related (one, other) {
  const resolution = Math.min(getResolution(toText(one)), getResolution(toText(other)))
  return ancestor(one, resolution) === ancestor(other, resolution)
}

/** At most 64 cells, as fine as that allows, that lead to every public cell which touches the circle (D10). */
export function cover (latitude, longitude, radiusM) {
  for (let resolution = FINEST; resolution >= COARSEST; resolution--) {
    // A circle's area tells quickly that there would be far too many cells.
    if (3 * radiusM ** 2 > 2 * MAX_QUERY_CELLS * getHexagonAreaAvg(resolution, UNITS.m2)) continue
    const cells = coverOf(latitude, longitude, radiusM, resolution)
    if (cells.length <= MAX_QUERY_CELLS) return cells
  }
  throw new RangeError('the circle is too wide')
}

/** Descendants stick out of their cell by index, so the circle is widened; coarse cells that only touch it are added. */
function coverOf (latitude, longitude, radiusM, resolution) {
  const here = [latitude, longitude]
  const overhang = circumradius(latLngToCell(latitude, longitude, resolution)) * OVERHANG
  const cells = new Set(coverAt(latitude, longitude, radiusM + overhang, resolution))
  const held = [...cells]
  for (let coarse = COARSEST; coarse < resolution && cells.size <= MAX_QUERY_CELLS; coarse++) {
    const known = new Set(held.map((cell) => ancestor(cell, coarse)))
    for (const cell of coverAt(latitude, longitude, radiusM, coarse)) {
      if (!known.has(cell)) cells.add(nearestWithin(cell, here, resolution))
    }
  }
  return [...cells]
}

/** Goes down to the nearest child of the nearest child. */
function nearestWithin (cell, here, resolution) {
  let nearest = toText(cell)
  while (getResolution(nearest) < resolution) {
    const children = cellToChildren(nearest, getResolution(nearest) + 1)
    nearest = children.sort((a, b) => metres(cellToLatLng(a), here) - metres(cellToLatLng(b), here))[0]
  }
  return toInteger(nearest)
}

/** Every cell of a resolution whose circumscribed circle touches the circle, ascending. */
export function coverAt (latitude, longitude, radiusM, resolution) {
  const here = [latitude, longitude]
  const middle = latLngToCell(latitude, longitude, resolution)
  const touches = (cell) => metres(cellToLatLng(cell), here) <= radiusM + circumradius(cell)
  const found = [middle]
  for (let ring = 1, some = true; some; ring++) {
    const near = gridDisk(middle, ring).filter((cell) => gridDistance(middle, cell) === ring && touches(cell))
    found.push(...near)
    some = near.length > 0
  }
  return found.map(toInteger).sort((a, b) => (a < b ? -1 : 1))
}

const metres = (one, other) => greatCircleDistance(one, other, UNITS.m)

/** From the centre of a cell to its farthest corner. */
function circumradius (cell) {
  const centre = cellToLatLng(cell)
  return Math.max(...cellToBoundary(cell).map((corner) => metres(centre, corner)))
}
