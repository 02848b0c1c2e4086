import { Histogram } from './histogram.js'

/**
 * Does something once, of which a workload is made.
 * @callback Operation
 * @param {() => void} done it is complete; never called at once
 * @param {() => void} step something that is waited for has come: once for a call, for each subscriber of a publication
 * @returns {void}
 */

const nothing = () => {}

/** Milliseconds: waits longer than this are left to a timer, shorter ones to looking again and again. */
const SPIN = 2

/** Runs operations: as many as go, or so many a second. */
export class Load {
  #operations
  #depth
  #weight
  #running = 0

  /**
   * @param {object} how
   * @param {readonly Operation[]} how.operations one for each connection
   * @param {number} how.depth how many of each run at once
   * @param {number} [how.weight] how many an operation counts for
   */
  constructor({ operations, depth, weight = 1 }) {
    this.#operations = operations
    this.#depth = depth
    this.#weight = weight
  }

  /**
   * Starts an operation whenever one is done, and ends when the last one is.
   * @param {{ seconds: number }} how
   * @returns {Promise<{ operations: number, seconds: number }>}
   */
  saturate({ seconds }) {
    return new Promise((resolve) => {
      let completed = 0
      let isOver = false
      setTimeout(() => {
        isOver = true
      }, seconds * 1000)
      const start = performance.now()
      const finish = () => {
        const elapsed = (performance.now() - start) / 1000
        resolve({ operations: completed * this.#weight, seconds: elapsed })
      }
      for (const operation of this.#operations) {
        const next = () => {
          completed += 1
          if (!isOver) return operation(next, nothing)
          this.#running -= 1
          if (this.#running === 0) finish()
        }
        for (let i = 0; i < this.#depth; i += 1) {
          this.#running += 1
          operation(next, nothing)
        }
      }
    })
  }

  /**
   * Starts operations at a fixed rate, whether or not the server keeps up, and takes the time from when each was due.
   * @param {{ seconds: number, rate: number }} how
   * @returns {Promise<{ p50Ms: number, p99Ms: number, count: number }>}
   */
  async pace({ seconds, rate }) {
    const times = new Histogram()
    const interval = (1000 * this.#weight) / rate
    const start = performance.now() + interval
    const total = Math.max(Math.floor((seconds * 1000) / interval), 1)
    let started = 0
    while (started < total) {
      const due = start + started * interval
      await untilTime(due)
      const now = performance.now()
      for (; started < total && start + started * interval <= now; started += 1) {
        this.#startTimed(started, { due: start + started * interval, times })
      }
    }
    while (this.#running > 0) await untilTime(performance.now() + 5)
    return { p50Ms: times.percentile(0.5), p99Ms: times.percentile(0.99), count: times.count }
  }

  #startTimed(number, { due, times }) {
    this.#running += 1
    const done = () => {
      this.#running -= 1
    }
    const step = () => times.add(performance.now() - due)
    this.#operations[number % this.#operations.length](done, step)
  }
}

function untilTime(due) {
  return new Promise((resolve) => {
    const look = () => {
      const wait = due - performance.now()
      if (wait <= 0) resolve(undefined)
      else if (wait > SPIN) setTimeout(look, wait - SPIN)
      else setImmediate(look)
    }
    look()
  })
}
