/** Directories on the command line: the rulesets in them, found by their names or by what stands in them. */

import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Dirent, Stats } from 'node:fs'
import type { SourceFile } from '../src/diagnostics/source-file.ts'
import { commandError } from './command.ts'
import { readSources } from './input.ts'

/** How rulesets are called: `rules.v4`, `firewall.rules6`, `legacy-save`, `iptables.conf`; sources and pages about iptables are none. */
const RULESET_NAME = /\.(rules6?|v4|v6|save)$|-save$|^ip6?tables/
const NO_RULESET = /\.(md|html|[1-9]|c|h|cc|go|rs|py|rb|pl|js|ts|sh|json|ya?ml|toml|xml|service|gate|gz|xz|zst|bz2|so|o|orig|rej|swp)$|~$/

/** Tells by the name of a file, and by the beginning of its text where the name says nothing, whether it is wanted. */
export type IsWanted = (name: string, beginning: () => string) => boolean

/** Tells whether a text is a ruleset as `iptables-save` prints it: a table with a chain. */
export function looksLikeRuleset(text: string): boolean {
  return /^\*(filter|nat|mangle|raw|security)\s*$/m.test(text) && /^:\S+ (ACCEPT|DROP|-)/m.test(text)
}

/** Tells whether a file is a ruleset. */
export const isRuleset: IsWanted = (name, beginning) => !NO_RULESET.test(name) && (RULESET_NAME.test(name) || looksLikeRuleset(beginning()))

/** Reads text files as `readSources` does, and of a directory the rulesets in it, however deep, in the order of their paths. */
export function readRulesets(paths: readonly string[], directory: string): SourceFile[] {
  return readSources(expandDirectories(paths, directory, isRuleset), directory)
}

/** Returns the paths with those of wanted files in the place of directories; one without any is a `commandError`. */
export function expandDirectories(paths: readonly string[], directory: string, isWanted: IsWanted): readonly string[] {
  return paths.flatMap(path => (path !== '-' && isDirectory(resolve(directory, path)) ? wantedIn(path, directory, isWanted) : [path]))
}

function wantedIn(path: string, directory: string, isWanted: IsWanted): string[] {
  const found = filesBelow(path, directory, isWanted)
  if (found.length === 0) throw commandError(`there is no ruleset in \`${path}\``, 'in a directory, files named *.rules *.rules6 *.v4 *.v6 *.save *-save iptables* ip6tables* are read, and others that begin as a save does')
  return found
}

/** Links to directories are not followed, they may lead in a circle; names that begin with a dot are left out. */
function filesBelow(path: string, directory: string, isWanted: IsWanted): string[] {
  const entries = entriesOf(path, directory).filter(({ name }) => !name.startsWith('.') && name !== 'node_modules').sort((left, right) => (left.name < right.name ? -1 : 1))
  return entries.flatMap(entry => {
    const below = join(path, entry.name)
    if (entry.isDirectory()) return filesBelow(below, directory, isWanted)
    const full = resolve(directory, below)
    const isFile = entry.isFile() || (entry.isSymbolicLink() && statOf(full)?.isFile() === true)
    return isFile && isWanted(entry.name, () => beginningOf(full)) ? [below] : []
  })
}

/** Bytes that are looked at to tell what a file is. */
const BEGINNING = 16_384

/** The beginning of a text; '' for what may not be read, and for what is no text. */
function beginningOf(full: string): string {
  const bytes = Buffer.alloc(BEGINNING)
  try {
    const file = openSync(full, 'r')
    try {
      const length = readSync(file, bytes, 0, BEGINNING, 0)
      return bytes.subarray(0, length).includes(0) ? '' : bytes.toString('utf8', 0, length)
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
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
