// Loaded before Mocha, so that it loads test files with `import`. Where Node can `require` ES modules Mocha prefers that,
// and tsx then compiles every source to CommonJS: a test would run other code than users do, `await` at the top of a file
// would not work, and the getters that CommonJS needs would count as lines that no test covers.

Object.defineProperty(process.features, 'require_module', { value: false, configurable: true })
