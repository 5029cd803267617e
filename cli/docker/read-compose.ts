/** A docker host from the disk: the compose file, `.env` beside it, daemon.json, and the release of the engine. */

import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DEFAULT_ENGINE, readEngine } from '../../src/docker/engine.ts'
import type { Engine } from '../../src/docker/engine.ts'
import { looksLikeInspection } from '../../src/docker/inspect.ts'
import { readHost } from '../../src/docker/read-host.ts'
import type { HostReading, HostSources } from '../../src/docker/read-host.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { commandError } from '../command.ts'
import { readSources } from '../input.ts'
import { refuseForCompose } from '../wrong-file.ts'

/** What names a host on a command line. */
export interface ComposeInput {
  readonly path: string
  /** Further inspections. */
  readonly others?: readonly string[]
  readonly engine: Engine
  readonly daemon: string | undefined
  readonly directory: string
}

/** Reads a host; a file that cannot be read at all is a `commandError`. */
export function readComposeHost({ path, others = [], engine, daemon, directory }: ComposeInput): HostReading {
  const [compose, ...inspections] = readSources([path, ...others], directory)
  refuseForCompose([...(compose ? [compose] : []), ...inspections])
  const stray = compose && looksLikeInspection(compose) ? inspections.find(source => !looksLikeInspection(source)) : inspections[0]
  if (stray) throw commandError(`one compose file at a time: what is \`${stray.path}\`?`, 'several files are read where `docker network inspect` and `docker inspect` printed them')
  const [daemonSource] = daemon === undefined ? [] : readSources([daemon], directory)
  return readHost({ ...placeOf(path, directory), compose: compose ?? { path, text: '' }, inspections, engine, ...(daemonSource ? { daemon: daemonSource } : {}) })
}

/** Reads a host from the text of its compose file, which stands or stood at `path`. */
export function readComposeSource(compose: SourceFile, directory: string): HostReading {
  return readHost({ ...placeOf(compose.path, directory), compose, engine: engineNamed(undefined) })
}

/** The project's name, and the variables of `.env` beside the file. */
function placeOf(path: string, directory: string): Pick<HostSources, 'directory' | 'variables'> {
  const folder = path === '-' || path === 'standard input' ? directory : dirname(resolve(directory, path))
  return { directory: basename(folder), variables: readVariables(join(folder, '.env')) }
}

/** Returns the engine that a flag names. */
export function engineNamed(value: unknown): Engine {
  const text = value === undefined ? DEFAULT_ENGINE : String(value)
  const engine = readEngine(text)
  if (!engine) throw commandError(`\`${text}\` is no release of the engine that is known`, 'releases since 20.10 are, such as 20.10.24, 27.5.1, 28.0.0 or 29')
  return engine
}

/** `NAME=value` lines; quotes around a value are left out, as `docker compose` does. */
function readVariables(path: string): Readonly<Record<string, string>> {
  if (!existsSync(path)) return {}
  const lines = readFileSync(path, 'utf8').split('\n').map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.flatMap(line => {
    const [, name, value = ''] = /^(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value.replace(/\s+#.*$/, '')]]
  }))
}

/** Returns the releases of `--diff-engines A B` (or `A,B`), and the words that are left of the command line. */
export function releasePair(given: string, words: readonly string[]): { readonly releases: readonly [string, string]; readonly words: readonly string[] } {
  const [first = '', second] = given.split(',')
  if (second !== undefined) return { releases: [first, second], words }
  const at = words.findIndex(word => readEngine(word) !== undefined)
  const other = words[at]
  if (other === undefined) throw commandError('`--diff-engines` needs two releases', 'for example `--diff-engines 27 29`')
  return { releases: [first, other], words: words.toSpliced(at, 1) }
}
