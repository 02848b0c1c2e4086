/** In the place of `call-around` in scripts whose bytes count: nothing runs around the functions of a page. */
export { runFunction as runCall } from './function-run.js'
