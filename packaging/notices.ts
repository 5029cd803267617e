/**
 * The last step of `npm run build`: which packages are in the bundle, and the licences that must go with them.
 * Reads what esbuild tells (`--metafile`), writes THIRD-PARTY-NOTICES beside the bundle; fails where a package has no licence file.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Licence {
  readonly packages: string[]
  readonly text: string
}

const RULER = '-'.repeat(72)
const [metafile = 'dist/bundle.json', output = 'dist/bundle/THIRD-PARTY-NOTICES'] = process.argv.slice(2)
const { inputs } = JSON.parse(readFileSync(metafile, 'utf8')) as { readonly inputs: Readonly<Record<string, unknown>> }
writeFileSync(output, writeNotices(foldersOf(Object.keys(inputs))))

/** Returns the folders of packages that have a file in the bundle. */
function foldersOf(paths: readonly string[]): readonly string[] {
  const folders = paths.map(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
  return [...new Set(folders.filter(folder => folder !== undefined))].toSorted()
}

/** Equal licences are printed once. */
function writeNotices(folders: readonly string[]): string {
  const licences = new Map<string, Licence>()
  for (const folder of folders) {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly name: string; readonly version: string }
    const text = licenceIn(folder)
    const known = licences.get(text) ?? { packages: [], text }
    known.packages.push(`${name} ${version}`)
    licences.set(text, known)
  }
  const parts = [...licences.values()].map(({ packages, text }) => `${RULER}\n${packages.join('\n')}\n${RULER}\n\n${text}\n`)
  return `The bundle contains code of these packages.\n\n${parts.join('\n')}`
}

function licenceIn(folder: string): string {
  const files = readdirSync(folder).filter(name => /^(?:licen[cs]e|notice)(?:\.(?:txt|md))?$/i.test(name)).toSorted()
  if (!files.some(name => /^licen/i.test(name))) throw new Error(`${folder} has no licence file`)
  return files.map(name => readFileSync(join(folder, name), 'utf8').replace(/\r\n/g, '\n').replace(/^\n+|\s+$/g, '')).join('\n\n')
}
