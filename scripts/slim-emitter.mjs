// EventEmitter3 in fewer bytes, for the script-tag files: the same methods and, in `_events`, the same structure, but that an
// event's listeners are always a list. It has no `emit`: the client's emitters have one of their own.
// test/repository/slim-emitter compares the two.

export class EventEmitter {
  _events = Object.create(null)

  eventNames() {
    return Reflect.ownKeys(this._events)
  }

  listeners(event) {
    return (this._events[event] ?? []).map(({ fn }) => fn)
  }

  listenerCount(event) {
    return this.listeners(event).length
  }

  on(event, fn, context) {
    return add(this, event, fn, context)
  }

  once(event, fn, context) {
    return add(this, event, fn, context, true)
  }

  /** Makes another list: `emit`, which goes through the one of before, finds that unchanged. */
  removeListener(event, fn, context, once) {
    const isKept = (one) => one.fn !== fn || (once && !one.once) || (context && one.context !== context)
    const kept = this._events[event]?.filter((one) => fn && isKept(one))
    if (kept?.length) this._events[event] = kept
    else delete this._events[event]
    return this
  }

  removeAllListeners(event) {
    if (event) delete this._events[event]
    else this._events = Object.create(null)
    return this
  }
}

function add(emitter, event, fn, context, once = false) {
  if (typeof fn !== 'function') throw new TypeError('The listener must be a function')
  emitter._events[event] ??= []
  emitter._events[event].push({ fn, context: context || emitter, once })
  return emitter
}

const { prototype } = EventEmitter
prototype.off = prototype.removeListener
prototype.addListener = prototype.on
