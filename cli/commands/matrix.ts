/** `5x5 matrix RULES... --service ssh` */

import { examplesOf } from '../../src/analyze/matrix-examples.ts'
import { reachMatrix } from '../../src/analyze/matrix.ts'
import type { ReachMatrix } from '../../src/analyze/matrix.ts'
import type { Way } from '../../src/analyze/matrix-passage.ts'
import { readNamedService } from '../../src/analyze/matrix-service.ts'
import type { Service } from '../../src/analyze/matrix-service.ts'
import { tableNamed } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { matrixDot, matrixSvg } from '../../src/report/matrix-graph.ts'
import { headOf, matrixJson, writeMatrix } from '../../src/report/matrix-text.ts'
import { IPSET_FLAGS, IPSET_HELP, ipsetsOf, sayUnknownIpsets, withIpsets } from '../analysis/ipset-flags.ts'
import { misspeltDevices, namespaceOf, readOneRuleset, sayEmpty } from '../analysis/rulesets.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBackend, readFamily } from '../input.ts'

const help = `5x5 matrix tells who may reach whom on a service: all addresses, in groups that behave alike.

usage: 5x5 matrix [flags] RULES...

  --service NAME         \`ssh\`, \`dns\`, \`ping\`, \`tcp/22\`, \`udp/53,67\`; may be repeated; default ssh and http
  --chain CHAIN          FORWARD: through the host, INPUT: to the host, OUTPUT: from the host. Without it: FORWARD where that
                         chain has rules, else INPUT; with a topology whatever arrives, as it is routed
  --topology FILE.yaml   devices, addresses and routes of the host; without it packets may arrive on and leave by any device
${IPSET_HELP}
  --in DEVICE            only what arrives on this device
  --out DEVICE           only what leaves by this device
  --format FORMAT        text, json, dot (for graphviz) or svg (a drawing); default text
  --all                  show every row, column and address
  --backend legacy|nft   which program loaded the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it their content tells
  --json                 the same as --format json: {"matrices": [{"service", "packets", "way", "whole", "notes", "groups": [{"name",
                         "addresses", "size"}], "conditions", "cells": [{"from", "to", "passes": "all"|"some"|"none"|"never",
                         "condition", "example", "exampleHolds"}]}]}

The packets are those with which a client begins: whole, between hosts, from ports 32768 to 60999, of tcp with SYN. \`to\` is where they
are sent, before any translation. A cell says what holds for all of them, exactly; ~ stands for "some do", its note tells when. Every example
was sent through the rules.

examples:
  5x5 matrix firewall.rules --service ssh
  5x5 matrix firewall.rules --service https --topology host.yaml --format svg > https.svg

exit code: 0 answered, 2 the command line or a file cannot be read
`

const FORMATS = ['text', 'json', 'dot', 'svg']

/** The command. */
export const matrix: Command = {
  help,
  flags: {
    ...IPSET_FLAGS, service: { type: 'string', multiple: true }, chain: { type: 'string' }, topology: { type: 'string' }, in: { type: 'string' }, out: { type: 'string' }, format: { type: 'string' },
    all: { type: 'boolean' }, backend: { type: 'string' }, family: { type: 'string' }, json: { type: 'boolean' },
  },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which rules?', '5x5 matrix RULES... --service ssh')
    const format = values['json'] === true ? 'json' : String(values['format'] ?? 'text')
    if (!FORMATS.includes(format)) throw commandError(`there is no format \`${format}\``, `the formats are ${FORMATS.join(', ')}`)
    const way = wayOf(values['chain'])
    const backend = readBackend(values['backend']) ?? 'legacy'
    const ruleset = readOneRuleset(paths, { family: readFamily(values['family']), backend, terminal })
    sayEmpty([ruleset], paths, terminal)
    const ipsets = ipsetsOf(values, terminal.directory)
    const namespace = withIpsets(await namespaceOf(values['topology'], terminal.directory), ipsets)
    sayUnknownIpsets([ruleset], ipsets, terminal)
    const place = { ...(typeof values['in'] === 'string' ? { inDevice: values['in'] } : {}), ...(typeof values['out'] === 'string' ? { outDevice: values['out'] } : {}) }
    const found = servicesOf(values['service'], ruleset.family).map(service => ({ service, matrix: reachMatrix({ ruleset, service, backend, ipsets, ...place, ...(way ? { way } : {}), ...(namespace ? { namespace } : {}) }) }))
    const whole = found.flatMap(({ matrix: one }) => (one ? [{ matrix: one, title: `${headOf(one)}${titleOf(one, paths)}` }] : []))
    if (format === 'json') terminal.out(`${JSON.stringify({ matrices: found.map(({ service, matrix: one }) => (one ? matrixJson(one, examplesOf(one, ruleset, MOST_EXAMPLES)) : { service: service.name, packets: service.words, whole: false })) }, undefined, 2)}\n`)
    else if (format === 'dot') terminal.out(whole.map(one => matrixDot(one.matrix, one.title)).join('\n'))
    else if (format === 'svg') terminal.out(matrixSvg(whole))
    else terminal.out(whole.map(one => writeMatrix(one.matrix, titleOf(one.matrix, paths), terminal.paint, { all: values['all'] === true })).join('\n'))
    const isHostLeftOut = way === undefined && found.some(({ matrix: one }) => one?.way === 'FORWARD') && (tableNamed(ruleset, 'filter')?.chainByName.get('INPUT')?.rules.length ?? 0) > 0
    if (format === 'text' && isHostLeftOut) terminal.out('Who reaches the host itself is told by --chain INPUT.\n')
    for (const note of namespace ? [] : misspeltDevices(Object.values(place), ruleset)) terminal.err(`assumed: ${note}\n`)
    for (const { service } of found.filter(one => !one.matrix)) terminal.err(`too big: who may use ${service.name} is not decided for these rules\n`)
    if (ruleset.partial) terminal.err('partial: lines that could not be read are left out\n')
    return EXIT.clean
  },
}

const MOST_EXAMPLES = 40

function wayOf(chain: unknown): Way | undefined {
  if (chain === undefined) return undefined
  const name = String(chain).toUpperCase()
  if (name === 'FORWARD' || name === 'INPUT' || name === 'OUTPUT') return name
  throw commandError(`\`${String(chain)}\` is no chain that a way leads through`, 'the chains are FORWARD, INPUT and OUTPUT')
}

function servicesOf(given: unknown, family: Family): readonly Service[] {
  const names = Array.isArray(given) ? given.map(String) : ['ssh', 'http']
  return names.map(name => {
    const service = readNamedService(name, family)
    if (typeof service === 'string') throw commandError(service)
    return service
  })
}

const WAYS: Readonly<Record<Way, string>> = { FORWARD: ' through the host (FORWARD)', INPUT: ' to the host (INPUT)', OUTPUT: ' from the host (OUTPUT)', any: '' }

function titleOf({ way }: ReachMatrix, paths: readonly string[]): string {
  return `${WAYS[way]}: ${paths.join(' ')}`
}
