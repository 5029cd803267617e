/** The disk: files as sources, with one clear line for everything that can be wrong with a file. */

import { constants } from 'node:buffer'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import type { SourceFile } from '../src/diagnostics/source-file.ts'
import { didYouMean } from '../src/extensions/did-you-mean.ts'
import type { Backend } from '../src/ir/hooks.ts'
import type { Family } from '../src/net/address.ts'
import { commandError } from './command.ts'

const STANDARD_INPUT = '-'

/** Bytes of memory that a byte of rules needs, measured on files of short rules that are all different. */
const MEMORY_PER_BYTE = 20

/** Reads text files; `-` is standard input. What cannot be read is a `commandError`. */
export function readSources(paths: readonly string[], directory: string): SourceFile[] {
  if (paths.filter(path => path === STANDARD_INPUT).length > 1) throw commandError('`-` stands for standard input and can be read only once')
  return paths.map(path => ({ path: path === STANDARD_INPUT ? 'standard input' : path, text: decode(path, readBytes(path, directory)) }))
}

/** Returns sources called by the last part of their paths, for reports that name a file in every row; as they are where two would be alike. */
export function withShortPaths(sources: readonly SourceFile[]): readonly SourceFile[] {
  const names = sources.map(({ path }) => (path.startsWith('/dev/') ? path : basename(path)))
  return new Set(names).size < names.length ? sources : sources.map(({ text }, index) => ({ path: names[index] ?? '', text }))
}

/** Returns a flag's value that must be one of the backends. */
export function readBackend(value: unknown): Backend | undefined {
  if (value === undefined || value === 'legacy' || value === 'nft') return value
  throw commandError(`\`--backend ${String(value)}\`: the backends are \`legacy\` and \`nft\``)
}

/** Returns a flag's value that must be one of the families. */
export function readFamily(value: unknown): Family | undefined {
  if (value === undefined || value === 'ipv4' || value === 'ipv6') return value
  throw commandError(`\`--family ${String(value)}\`: the families are \`ipv4\` and \`ipv6\``)
}

/** What a pipe had: it can be read only once. */
const readPipes = new Map<string, Buffer>()

function readBytes(path: string, directory: string): Buffer {
  if (path === STANDARD_INPUT) return readPipe(path, () => attempt('standard input', () => readFileSync(0)))
  const full = resolve(directory, path)
  const stat = attempt(path, () => statSync(full), () => didYouMean(basename(path), siblings(full)))
  if (stat.isDirectory()) throw commandError(`\`${path}\` is a directory: name the files in it`)
  checkSize(`\`${path}\``, stat.size)
  const read = (): Buffer => attempt(path, () => readFileSync(full))
  return stat.isFIFO() ? readPipe(full, read) : read()
}

function readPipe(name: string, read: () => Buffer): Buffer {
  const bytes = readPipes.get(name) ?? read()
  readPipes.set(name, bytes)
  return bytes
}

/** Refuses what would not fit: a process that runs out of memory cannot say so any more. */
function checkSize(name: string, bytes: number): void {
  const megabytes = Math.round(bytes / 1e6)
  if (bytes > constants.MAX_STRING_LENGTH) throw commandError(`${name} is too large: ${megabytes} MB, at most ${Math.floor(constants.MAX_STRING_LENGTH / 1e6)} MB can be read`)
  const limit = getHeapStatistics().heap_size_limit
  if (bytes * MEMORY_PER_BYTE <= limit) return
  const needed = Math.ceil((bytes * MEMORY_PER_BYTE) / 1e9)
  throw commandError(`${name} is too large: ${megabytes} MB of rules need about ${needed} GB of memory, and node may use ${(limit / 1e9).toFixed(1)} GB`, `NODE_OPTIONS=--max-old-space-size=${needed * 1000} lets it use more`)
}

function attempt<T>(path: string, read: () => T, hint?: () => string | undefined): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = REASONS[code] ?? `cannot be read (${code === '' ? String(error) : code})`
    throw commandError(`\`${path}\` ${why}`, code === 'ENOENT' ? hint?.() : undefined)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of the path is a file',
  EACCES: 'may not be read: permission denied',
  EPERM: 'may not be read: permission denied',
  EISDIR: 'is a directory',
  ELOOP: 'is a symbolic link that leads in a circle',
  ENAMETOOLONG: 'is too long a name',
  ERR_FS_FILE_TOO_LARGE: 'is too large to be read',
  ENOMEM: 'does not fit into memory',
}

function siblings(full: string): string[] {
  try {
    return readdirSync(dirname(full))
  } catch {
    return []
  }
}

function decode(path: string, bytes: Buffer): string {
  const name = path === STANDARD_INPUT ? 'standard input' : `\`${path}\``
  checkSize(name, bytes.length)
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (isUtf16) throw commandError(`${name} is UTF-16 text: save it as UTF-8`)
  if (bytes.includes(0)) throw commandError(`${name} is a binary file (it has NUL bytes)${bytes.subarray(0, 2).toString('latin1') === '\u001f\u008b' ? ': unpack it first' : ''}`)
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}
