/** Directories on the command line: the rulesets in them, found by their names. */

import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Dirent, Stats } from 'node:fs'
import type { SourceFile } from '../src/diagnostics/source-file.ts'
import { commandError } from './command.ts'
import { readSources } from './input.ts'

/** How rulesets are called: `rules.v4`, `firewall.rules6`, `legacy-save`, `iptables.conf`; sources and pages about iptables are none. */
const RULESET_NAME = /\.(rules6?|v4|v6|save)$|-save$|^ip6?tables/
const NO_RULESET = /\.(md|html|[1-9]|c|h|cc|go|rs|py|rb|pl|js|ts|sh|json|ya?ml|toml|xml|service|gz|xz|zst|bz2|so|o|orig|rej|swp)$|~$/

/** Reads text files as `readSources` does, and of a directory the rulesets in it, however deep, in the order of their paths. */
export function readRulesets(paths: readonly string[], directory: string): SourceFile[] {
  return readSources(paths.flatMap(path => (path !== '-' && isDirectory(resolve(directory, path)) ? rulesetsIn(path, directory) : [path])), directory)
}

function rulesetsIn(path: string, directory: string): string[] {
  const found = filesBelow(path, directory)
  if (found.length === 0) throw commandError(`there is no ruleset in \`${path}\``, 'in a directory, files named *.rules *.rules6 *.v4 *.v6 *.save *-save iptables* ip6tables* are read; others need their names')
  return found
}

/** Links to directories are not followed, they may lead in a circle; names that begin with a dot are left out. */
function filesBelow(path: string, directory: string): string[] {
  const entries = entriesOf(path, directory).filter(({ name }) => !name.startsWith('.') && name !== 'node_modules').sort((left, right) => (left.name < right.name ? -1 : 1))
  return entries.flatMap(entry => {
    const below = join(path, entry.name)
    if (entry.isDirectory()) return filesBelow(below, directory)
    const isFile = entry.isFile() || (entry.isSymbolicLink() && statOf(resolve(directory, below))?.isFile() === true)
    return isFile && RULESET_NAME.test(entry.name) && !NO_RULESET.test(entry.name) ? [below] : []
  })
}

function entriesOf(path: string, directory: string): Dirent[] {
  try {
    return readdirSync(resolve(directory, path), { withFileTypes: true })
  } catch {
    throw commandError(`the directory \`${path}\` may not be read`)
  }
}

function isDirectory(full: string): boolean {
  return statOf(full)?.isDirectory() === true
}

/** What cannot be looked at is left to `readSources`, which says why. */
function statOf(full: string): Stats | undefined {
  try {
    return statSync(full)
  } catch {
    return undefined
  }
}
