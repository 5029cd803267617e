/** The topology of a command line: read from a file, or guessed. */

import { readTopologyJson } from '../simulate/topology-json.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { PacketRequest } from '../../src/packet/notation.ts'
import type { Topology } from '../../src/topology/topology.ts'
import type { FlagValues } from '../command.ts'
import { readSources } from '../input.ts'

/** What a topology is made of. */
export interface TopologyInput {
  readonly values: FlagValues
  readonly requests: readonly PacketRequest[]
  readonly rulesets: readonly Ruleset[]
  readonly directory: string
}

/** Returns the topology. */
export async function topologyFor({ values, directory }: TopologyInput): Promise<Topology> {
  const { parse } = await import('yaml')
  return readTopologyJson(parse(readSources([String(values['topology'])], directory)[0]?.text ?? '') as never, '')
}
