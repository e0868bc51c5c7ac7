/** Opening hours into the slots of a listing (specs/04): a slot is offerable if every minute of it is open and free. */
import { wallClock } from './tariff.js'

const SLOTS = 1344
const SLOT_MS = 900_000
const MINUTE_MS = 60_000

/**
 * The slot map of 14 days.
 * @param {{zone: string, spans: {weekday: number, opens: number, closes: number}[]}} hours minutes of the wall clock
 * @param {number} start a UTC quarter hour @param {[number, number][]} busy instants [from, to)
 */
export function slotsOf ({ zone, spans }, start, busy) {
  const local = wallClock(zone)
  const isOpen = (at) => spans.some((span) => covers(span, local(at)))
  const bits = new Uint8Array(SLOTS / 8)
  for (let slot = 0; slot < SLOTS; slot++) {
    const from = start + slot * SLOT_MS
    if (busy.some(([since, until]) => since < from + SLOT_MS && from < until)) continue
    const minutes = Array.from({ length: SLOT_MS / MINUTE_MS }, (_, minute) => from + minute * MINUTE_MS)
    if (minutes.every(isOpen)) bits[slot >> 3] |= 0x80 >> (slot & 7)
  }
  return { start, bits }
}

/** Whether a span holds a local time; one that closes no later than it opens ends on the next day. */
function covers ({ weekday, opens, closes }, local) {
  const overnight = closes <= opens
  if (local.weekday === weekday) return local.minute >= opens && (overnight || local.minute < closes)
  return overnight && local.weekday === weekday % 7 + 1 && local.minute < closes
}
