/** `--compose FILE` of commands that send packets: the host that a compose file makes takes the place of rules and topology. */

import type { Backend } from '../../src/ir/hooks.ts'
import { containerNamed, fillNames } from '../../src/docker/names.ts'
import { plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { commandError } from '../command.ts'
import type { FlagValues } from '../command.ts'
import { readTopologyFile } from '../trace/topology-for.ts'
import type { WorldInput } from '../trace/world-input.ts'
import { composeWorld } from './compose-world.ts'
import type { ComposeWorld } from './compose-world.ts'
import { readBase } from './host-rules.ts'
import { engineNamed, readComposeHost } from './read-compose.ts'

/** What `--compose` is read from. `paths` are rules that the host had before. */
export interface ComposeRequest {
  readonly values: FlagValues
  readonly paths: readonly string[]
  readonly backend: Backend
  readonly directory: string
}

/** The world of `--compose`, ready for packets. */
export interface ComposeInput {
  readonly world: ComposeWorld
  readonly input: WorldInput
  /** Returns a packet's text without names; an unknown one is a `commandError`. */
  readonly fill: (text: string) => string
  /** Returns where a service's packets begin; other names stay. */
  readonly placeOf: (name: string) => string
}

/** Returns the world of `--compose`, undefined without that flag. A compose file with errors is a `commandError`. */
export async function readComposeInput({ values, paths, backend, directory }: ComposeRequest): Promise<ComposeInput | undefined> {
  const { compose, topology: topologyPath, daemon } = values
  if (typeof compose !== 'string') {
    if (values['engine'] !== undefined || daemon !== undefined) throw commandError('`--engine` and `--daemon` are about a compose file', 'name it with `--compose`')
    return undefined
  }
  const reading = readComposeHost({ path: compose, engine: engineNamed(values['engine']), daemon: typeof daemon === 'string' ? daemon : undefined, directory })
  const errors = reading.diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw commandError(`the compose file \`${compose}\` cannot be used`, writeDiagnostics(errors, plain).trimEnd())
  const described = typeof topologyPath === 'string' ? await readTopologyFile(topologyPath, directory) : undefined
  const world = composeWorld(reading.value, readBase(paths, directory), { described })
  const [main] = world.topology.namespaces
  return { world, input: { topology: world.topology, backend, rulesetsOf: new Map(main ? [[main.name, world.rulesets]] : []), errors: [], warnings: [], partial: false }, fill: text => filled(text, world), placeOf: name => containerNamed(world.host, name) ?? name }
}

function filled(text: string, { host, outside }: ComposeWorld): string {
  const answer = fillNames(text, host, outside)
  if (!answer.ok) throw commandError(`${answer.problem} (in \`${text}\`)`, answer.help)
  return answer.text
}
