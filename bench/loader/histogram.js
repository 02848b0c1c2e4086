/** Each power of two is cut into so many parts: a value is known to within 0.8 %. */
const PARTS = 128

/** Counts times, as HdrHistogram does: bounded memory, whatever comes. */
export class Histogram {
  /** Microseconds up to 2 ** 32, more than an hour. */
  #counts = new Uint32Array(PARTS * 27)
  count = 0

  /** @param {number} milliseconds */
  add(milliseconds) {
    const micros = Math.min(Math.max(Math.round(milliseconds * 1000), 0), 2 ** 32 - 1)
    this.#counts[slotOf(micros)] += 1
    this.count += 1
  }

  /**
   * @param {number} share such as 0.99
   * @returns {number} milliseconds that this share of the times does not exceed
   */
  percentile(share) {
    let left = Math.ceil(this.count * share)
    for (let slot = 0; slot < this.#counts.length; slot += 1) {
      left -= this.#counts[slot]
      if (left <= 0) return middleOf(slot) / 1000
    }
    return Number.NaN
  }
}

function slotOf(micros) {
  if (micros < PARTS) return micros
  const power = 31 - Math.clz32(micros) - Math.log2(PARTS)
  return PARTS * (power + 1) + (Math.floor(micros / 2 ** power) - PARTS)
}

/** The middle of a slot. */
function middleOf(slot) {
  if (slot < PARTS) return slot
  const power = Math.floor(slot / PARTS) - 1
  return (PARTS + (slot % PARTS) + 0.5) * 2 ** power
}
