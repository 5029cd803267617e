/** Tries to reach somebody in a described world, and prints what came of it. */

import { didYouMean } from '../../src/extensions/did-you-mean.ts'
import { readAddress, writeAddress } from '../../src/net/address.ts'
import type { Address } from '../../src/net/address.ts'
import { attemptInWords, wayLines } from '../../src/report/attempt-words.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { jsonLegs } from '../../src/report/trace-json.ts'
import { writeTrace } from '../../src/report/trace-text.ts'
import { tryToReach } from '../../src/simulate/attempt.ts'
import type { Attempt, Attempted } from '../../src/simulate/attempt.ts'
import { namespaceNamed } from '../../src/topology/topology.ts'
import type { Namespace, Topology } from '../../src/topology/topology.ts'
import { writePacket } from '../../src/packet/write-packet.ts'
import { commandError, EXIT } from '../command.ts'
import type { FlagValues, Flags, Terminal } from '../command.ts'
import { readBackend } from '../input.ts'
import { readWorld, worldOf } from './world-input.ts'
import type { WorldInput } from './world-input.ts'

/** The flags of both commands. */
export const ATTEMPT_FLAGS: Flags = {
  topology: { type: 'string' },
  source: { type: 'string' },
  device: { type: 'string' },
  trace: { type: 'boolean' },
  all: { type: 'boolean' },
  ipset: { type: 'string', multiple: true },
  backend: { type: 'string' },
  json: { type: 'boolean' },
}

/** Their help. */
export const ATTEMPT_FLAGS_HELP = `  --topology FILE.yaml   the hosts: devices, addresses, routes, rules and links (src/topology/README.md has the format)
  --source ADDRESS       the address to send from; without it the one that the host would choose
  --device DEVICE        the device that the socket is bound to
  --trace                show every rule on the way of every packet; --all the rules that do not match too
  --ipset FILE           the sets that \`ipset save\` printed
  --backend legacy|nft   which program loaded the rules; default legacy
  --json                 print {"told", "sentence", "packets": [{"packet", "legs"}]}
`

/** Who is to be reached: `target` as it was written. */
export interface AttemptWords {
  readonly kind: Attempt['kind']
  readonly namespace: string
  readonly target: string
  readonly port?: number
}

/** Reads the world, tries, and prints; returns the exit code: 0 reached, 1 not. */
export async function printAttempt(words: AttemptWords, values: FlagValues, terminal: Terminal): Promise<number> {
  if (values['topology'] === undefined) throw commandError('which hosts?', '`--topology FILE.yaml` describes them')
  const input = await readWorld({ values, paths: [], requests: [], backend: readBackend(values['backend']) ?? 'legacy', directory: terminal.directory })
  const { topology } = input
  const namespace = namespaceOf(topology, words.namespace)
  const attempt = readAttempt(words, values, namespace, topology)
  const world = worldOf(input)
  const host = world.hosts.get(namespace.name)
  if (!host) throw commandError(`there is no namespace \`${words.namespace}\``)
  const attempted = tryToReach(world, attempt, host, { record: values['all'] === true ? 'all' : 'matches' })
  const sentence = attemptInWords(attempted, topology)
  if (values['json'] === true) {
    const packets = attempted.journeys.map(journey => ({ packet: writePacket(journey.probe.packet), legs: jsonLegs(journey) }))
    terminal.out(`${JSON.stringify({ told: attempted.told, sentence: sentence.text, packets }, undefined, 2)}\n`)
  } else terminal.out(textOf(attempted, input, values['trace'] === true || values['all'] === true, terminal))
  const told = input.warnings.filter(({ severity }) => severity === 'warning' || attempted.told === 'silence' || attempted.told === 'unreachable')
  if (values['json'] !== true && told.length > 0) terminal.err(`\n${writeDiagnostics(told, terminal.paintErr)}`)
  return attempted.told === 'answered' || attempted.told === 'connected' || attempted.told === 'arrived' ? EXIT.clean : EXIT.findings
}

function textOf({ journeys, ...attempted }: Attempted, { topology, partial }: WorldInput, tellsRules: boolean, { paint }: Terminal): string {
  const sentence = attemptInWords({ journeys, ...attempted }, topology)
  const [verdict = '', ...rest] = sentence.text.split(/(?<=^[\w ]+)(?=[:(])/)
  const lines = wayLines(journeys)
  const width = Math.max(0, ...lines.map(({ packet }) => packet.length))
  const traces = journeys.map(journey => `${writeTrace({ journey, decisive: [], assumed: [], topology, packet: journey.probe.packet, partial, all: false, tellsAnswer: false }, paint)}\n`)
  return [
    ...(tellsRules ? traces : [`${lines.map(({ packet, way }) => `  ${packet.padEnd(width)}  ${paint('strong', way)}\n`).join('')}\n`]),
    `  ${paint(sentence.style, verdict)}${rest.join('')}\n`,
  ].join('')
}

function readAttempt({ kind, target, port }: AttemptWords, values: FlagValues, namespace: Namespace, topology: Topology): Attempt {
  const { source, device } = values
  if (device !== undefined && !namespace.devices.some(({ name }) => name === device)) throw commandError(`namespace \`${namespace.name}\` has no device \`${String(device)}\``, didYouMean(String(device), namespace.devices.map(({ name }) => name)))
  const from = source === undefined ? undefined : readAddress(String(source))
  if (source !== undefined && from === undefined) throw commandError(`\`--source ${String(source)}\` is not an address`)
  return {
    kind,
    namespace: namespace.name,
    destination: readTarget(target, topology),
    ...(port === undefined ? {} : { port }),
    ...(from === undefined ? {} : { source: from }),
    ...(typeof device === 'string' ? { device } : {}),
  }
}

/** An address, or a namespace that has just one. */
function readTarget(text: string, topology: Topology): Address {
  const address = readAddress(text)
  if (address !== undefined) return address
  const namespace = namespaceNamed(topology, text)
  const names = topology.namespaces.map(({ name }) => name)
  if (!namespace) throw commandError(`\`${text}\` is neither an address nor a namespace`, didYouMean(text, names) ?? `the namespaces are ${names.map(name => `\`${name}\``).join(', ')}`)
  const own = namespace.devices.filter(({ kind }) => kind !== 'loopback').flatMap(({ addresses }) => addresses.map(one => one.address))
  const [only] = own
  if (only !== undefined && own.length === 1) return only
  throw commandError(own.length === 0 ? `namespace \`${text}\` has no address` : `which address of \`${text}\`?`, own.length === 0 ? undefined : `it has ${own.map(writeAddress).join(', ')}`)
}

function namespaceOf(topology: Topology, name: string): Namespace {
  const namespace = namespaceNamed(topology, name)
  if (namespace) return namespace
  const names = topology.namespaces.map(one => one.name)
  throw commandError(`the topology has no namespace \`${name}\``, didYouMean(name, names) ?? `its namespaces are ${names.map(one => `\`${one}\``).join(', ')}`)
}
