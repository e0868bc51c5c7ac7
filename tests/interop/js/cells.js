/** Places (specs/04, 07): H3 cells as integers, keys of the DHT, topics, and covers of circles. */
import { cellToParent, getResolution, gridDisk, isValidCell, latLngToCell, greatCircleDistance, cellToLatLng, getHexagonEdgeLengthAvg, UNITS } from 'h3-js'
import { encode } from './cbor.js'
import { require_ } from './errors.js'
import { sha256 } from './record.js'

export const COARSEST = 4
export const FINEST = 8
const TOPIC_RESOLUTION = 5
const MAX_QUERY_CELLS = 64

/** An integer from H3's text. */
export const toInteger = (text) => BigInt(`0x${text}`)

/** H3's text of an integer; Refused `cell` unless it is a cell of resolution 4 to 8. */
export function toText (cell) {
  const text = BigInt(cell).toString(16)
  const right = isValidCell(text) && getResolution(text) >= COARSEST && getResolution(text) <= FINEST
  require_(right, 'cell', `${text} is no cell of resolution 4 to 8`)
  return text
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

/** At most 64 cells, as fine as that allows, that cover the circle. */
export function cover (latitude, longitude, radiusM) {
  for (let resolution = FINEST; resolution >= COARSEST; resolution--) {
    const edge = getHexagonEdgeLengthAvg(resolution, UNITS.m)
    const rings = Math.ceil(radiusM / edge) + 1 // the centre may lie at its cell's border
    const disk = gridDisk(latLngToCell(latitude, longitude, resolution), rings)
    const near = disk.filter((cell) =>
      greatCircleDistance(cellToLatLng(cell), [latitude, longitude], UNITS.m) <= radiusM + 1.5 * edge)
    if (near.length <= MAX_QUERY_CELLS) return near.map(toInteger)
  }
  throw new RangeError('the circle is too wide')
}
