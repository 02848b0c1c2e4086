/** The bundlers, each as its documentation says, with nothing set that a user would not set. */
import commonjs from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { build as esbuild } from 'esbuild'
import { rollup } from 'rollup'
import { build as vite } from 'vite'
import webpack from 'webpack'
import type { Project } from './project.js'

/** Builds `page.js` into the folder `site`. @returns what the bundler warned of */
export type Bundle = (project: Project) => Promise<readonly string[]>

export const BUNDLERS: Readonly<Record<string, Bundle>> = {
  Vite: async (project) => {
    const warnings: string[] = []
    await project.write('index.html', HTML.replace('SCRIPT', '/page.js'))
    await vite({
      root: project.folder,
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir: 'site',
        rollupOptions: { onwarn: ({ message }) => warnings.push(message) },
      },
    })
    return warnings
  },
  esbuild: async (project) => {
    const { warnings } = await esbuild({
      entryPoints: [project.path('page.js')],
      outdir: project.path('site'),
      bundle: true,
      splitting: true,
      format: 'esm',
      minify: true,
      logLevel: 'silent',
    })
    await project.write('site/index.html', HTML.replace('SCRIPT', '/page.js'))
    return warnings.map(({ text }) => text)
  },
  Rollup: async (project) => {
    const warnings: string[] = []
    const bundle = await rollup({
      input: project.path('page.js'),
      // Its types are those of its CommonJS.
      plugins: [nodeResolve({ browser: true }), (commonjs as unknown as typeof commonjs.default)()],
      onwarn: ({ message }) => warnings.push(message),
    })
    await bundle.write({ dir: project.path('site'), format: 'es' })
    await bundle.close()
    await project.write('site/index.html', HTML.replace('SCRIPT', '/page.js'))
    return warnings
  },
  webpack: async (project) => {
    const compiler = webpack({
      mode: 'production',
      context: project.folder,
      entry: './page.js',
      output: { path: project.path('site'), filename: 'page.js' },
      performance: false,
    })
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)))
    })
    await new Promise((resolve) => compiler.close(resolve))
    await project.write('site/index.html', HTML.replace('SCRIPT', '/page.js'))
    const { errors = [], warnings = [] } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {}
    return [...errors, ...warnings].map(({ message }) => message)
  },
}

const HTML = `<!doctype html>
<title>A page of ten lines</title>
<link rel="icon" href="data:,">
<script type="module" src="SCRIPT"></script>
`
