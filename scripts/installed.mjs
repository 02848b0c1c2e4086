// What is missing of what a lock file names. npm writes down what it installed in a file like the lock file. Node's own modules only.

/**
 * The packages that have to be downloaded. Workspaces, and links to them, are no downloads; packages for other platforms and peers
 * that no package brings are left out by npm.
 * @param {Record<string, object>} wanted the `packages` of the lock file
 * @param {Record<string, object>} installed those of the file that npm wrote
 * @returns {string[]} their paths
 */
export function missingPackages(wanted, installed) {
  return Object.entries(wanted)
    .filter(([path, entry]) => isDownload(path, entry) && isMissing(entry, installed[path]))
    .map(([path]) => path)
}

/**
 * The links to workspaces that are not there.
 * @param {Record<string, object>} wanted the `packages` of the lock file
 * @param {(path: string) => boolean} exists whether there is something at a path
 * @returns {{ path: string, target: string }[]} where each belongs, and the workspace
 */
export function missingLinks(wanted, exists) {
  return Object.entries(wanted)
    .filter(([path, { link }]) => link && !exists(path))
    .map(([path, { resolved }]) => ({ path, target: resolved }))
}

function isDownload(path, { link }) {
  return path.includes('node_modules/') && !link
}

function isMissing({ version, optional, peer, dev }, there) {
  if (there) return there.version !== version
  return !optional && !(peer && !dev)
}
