/** A photo beside an access record (specs/12, S12 to S14): a plain baseline JPEG and nothing else. */
import { same, sha256 } from './bytes.js'
import { Refused, require_ } from './errors.js'
import { unseal } from './sealing.js'

const MAX_BYTES = 48 * 1024
const MAX_SIDE = 1280
const [FRAME, HUFFMAN, SCAN, TABLES, RESTART, JFIF] = [0xc0, 0xc4, 0xda, 0xdb, 0xdd, 0xe0]
const JFIF_BYTES = 14

/** {jpeg, width, height} of what was asked for by its id; Refused `sealed` or `photo`. */
export function openPhoto (sealed, photo, theirPublic, ourSecret) {
  const jpeg = unseal(sealed, theirPublic, ourSecret)
  require_(same(sha256(jpeg), photo), 'photo', 'not the photo that was asked for')
  return { jpeg, ...checkPhoto(jpeg) }
}

/** {width, height} in pixels; Refused `photo`. */
export function checkPhoto (jpeg) {
  const bytes = Buffer.from(jpeg)
  const last = bytes.length - 2
  need(bytes.length <= MAX_BYTES && bytes.length >= 4, 'size')
  need(bytes.readUInt16BE(0) === 0xffd8 && bytes.readUInt16BE(last) === 0xffd9, 'not a JPEG, whole')
  let size
  for (let at = 2; ;) {
    need(at + 4 <= last && bytes[at] === 0xff, 'no segment where one must be')
    const marker = bytes[at + 1]
    const next = at + 2 + bytes.readUInt16BE(at + 2)
    need(next >= at + 4 && next <= last, 'a segment is cut short')
    const content = bytes.subarray(at + 4, next)
    at = next
    if (marker === FRAME && !size) {
      size = sizeOf(content)
    } else if (marker === SCAN && size) {
      need(endOfScan(bytes, at) === last, 'more than one scan')
      return size
    } else if (marker === JFIF) {
      const plain = content.length === JFIF_BYTES && content.toString('latin1', 0, 5) === 'JFIF\0'
      need(plain && content.readUInt16BE(12) === 0, 'another application segment')
    } else {
      need([TABLES, HUFFMAN, RESTART].includes(marker), `segment ${marker.toString(16)}`)
    }
  }
}

function sizeOf (frame) {
  need(frame.length >= 6 && frame[0] === 8 && [1, 3].includes(frame[5]), 'not of 8 bits, grey or in colours')
  need(frame.length === 6 + 3 * frame[5], 'a frame of another length')
  const [height, width] = [frame.readUInt16BE(1), frame.readUInt16BE(3)]
  need([height, width].every((side) => side >= 1 && side <= MAX_SIDE), `${width} x ${height} pixels`)
  return { width, height }
}

/** Where the first marker stands that is no part of the scan's data. */
function endOfScan (bytes, at) {
  for (; at + 1 < bytes.length; at++) {
    if (bytes[at] !== 0xff) continue
    const marker = bytes[at + 1]
    if (marker !== 0 && !(marker >= 0xd0 && marker <= 0xd7)) return at
    at++
  }
  return bytes.length
}

function need (condition, what) {
  if (!condition) throw new Refused('photo', `no plain JPEG: ${what}`)
}
