/** The topology of a command line: read from a file, or guessed. */

import { dirname, resolve } from 'node:path'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { PacketRequest } from '../../src/packet/notation.ts'
import { plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'
import { readIpsets } from '../../src/topology/ipset-text.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { commandError, isCommandError } from '../command.ts'
import type { FlagValues } from '../command.ts'
import { readSources } from '../input.ts'
import { refuseForTopology } from '../wrong-file.ts'

/** What a topology is made of. */
export interface TopologyInput {
  readonly values: FlagValues
  readonly requests: readonly PacketRequest[]
  readonly rulesets: readonly Ruleset[]
  readonly directory: string
  /** Takes what is allowed in the file and likely wrong. */
  readonly warn?: (warnings: readonly Diagnostic[]) => void
}

/** Returns the topology, with the ipsets of `--ipset` in every namespace. A topology file with errors is a `commandError`. */
export async function topologyFor({ values, requests, rulesets, directory, warn }: TopologyInput): Promise<Topology> {
  const { topology: path, ipset } = values
  const topology = typeof path === 'string' ? await readTopologyFile(path, directory, warn) : assumedTopology(rulesets, requests.flatMap(request => (request.kind === 'probe' ? [request.probe] : [])))
  const ipsets = readSources(Array.isArray(ipset) ? ipset.map(String) : [], directory).flatMap(({ text }) => readIpsets(text))
  return { ...topology, namespaces: topology.namespaces.map(namespace => ({ ...namespace, ipsets: [...namespace.ipsets, ...ipsets] })) }
}

/** Returns the topology of a file; one with errors is a `commandError`. */
export async function readTopologyFile(path: string, directory: string, warn?: TopologyInput['warn']): Promise<Topology> {
  const [source] = readSources([path], directory)
  if (source) refuseForTopology(source)
  const { readTopology } = await import('../../src/topology/load.ts')
  const { value, diagnostics } = readTopology(source ?? { path, text: '' }, { readFile: readNamedBy(path, directory) })
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw commandError(`the topology \`${path}\` cannot be used`, writeDiagnostics(errors, plain).trimEnd())
  warn?.(diagnostics)
  return value
}

/** Returns how the files are read that a topology at a path names. */
export function readNamedBy(path: string, directory: string): (name: string) => SourceFile | string {
  return name => readNamed(name, dirname(resolve(directory, path)))
}

/** A file that a topology names; why it cannot be read is said at its place in the topology. */
function readNamed(name: string, directory: string): SourceFile | string {
  try {
    const [source] = readSources([name], directory)
    return source ?? 'cannot be read'
  } catch (error) {
    if (!isCommandError(error)) throw error
    return (error.message.split('\n')[0] ?? '').replace(`\`${name}\` `, '')
  }
}
