/** The operation `cell.search`: whether the cells that our search names lead to all public cells it may need. */
import { getResolution } from 'h3-js'
import { cover, related, toInteger, toText } from './cells.js'

const MAX_QUERY_CELLS = 64

export function searched ({ latitude, longitude, radius_m: radiusM, public: names }) {
  const named = cover(latitude / 1e6, longitude / 1e6, radiusM)
  const resolution = Math.min(...named.map((cell) => getResolution(toText(cell))))
  const reached = names.filter((name) => named.some((cell) => related(cell, toInteger(name))))
  return { resolution, enough: named.length <= MAX_QUERY_CELLS, reached }
}
