/** Topology files: what is read, and what is said about mistakes. Cases are fixtures/topology/*.yaml. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { positionAt } from '../src/diagnostics/source-file.ts'
import type { SourceFile } from '../src/diagnostics/source-file.ts'
import type { Diagnostic } from '../src/diagnostics/diagnostic.ts'
import { writeAddress, writePrefix } from '../src/net/address.ts'
import { readTopology } from '../src/topology/load.ts'
import type { DeviceEnd, Namespace, Topology } from '../src/topology/topology.ts'

const FOLDER = 'fixtures/topology'

describe('topology files', () => {
  const files = readdirSync(FOLDER).filter(file => file.endsWith('.yaml'))
  test.each(files)('%s', async file => {
    const { value, diagnostics } = readTopology({ path: file, text: readFileSync(`${FOLDER}/${file}`, 'utf8') }, { readFile })
    const text = [...diagnostics.map(diagnosticLine), ...topologyLines(value)].join('\n')
    await expect(`${text}\n`).toMatchFileSnapshot(`${process.cwd()}/${FOLDER}/${file.replace('.yaml', '.expected')}`)
    expect(diagnostics.length > 0).toBe(file.startsWith('bad-'))
  })
})

function readFile(path: string): SourceFile | string {
  return existsSync(`${FOLDER}/${path}`) ? { path, text: readFileSync(`${FOLDER}/${path}`, 'utf8') } : 'does not exist'
}

function diagnosticLine({ span, severity, code, message, help, related }: Diagnostic): string {
  const { line, column } = positionAt(span.source, span.start)
  const why = related.map(place => `\n  at line ${positionAt(place.span.source, place.span.start).line}: ${place.message}`).join('')
  return `${line}:${column} ${severity}[${code}] ${message}${why}${help === undefined ? '' : `\n  help: ${help}`}`
}

function topologyLines(topology: Topology): readonly string[] {
  const end = ({ namespace, device }: DeviceEnd) => `${namespace}/${device}`
  return [
    ...topology.namespaces.flatMap(namespaceLines),
    ...(topology.wires ?? []).map(({ ends }) => `wire ${ends.map(end).join(' ')}`),
    ...(topology.containers ?? []).map(({ name, namespace, mode }) => `container ${name} in ${namespace}, mode ${mode}`),
    ...topology.labels.map(label => `label ${writeAddress(label.address)} ${label.words}`),
  ]
}

function namespaceLines({ name, devices, routes, rules, neighbours, sysctls, ipsets, rulesets = [], sockets }: Namespace): readonly string[] {
  return [
    `namespace ${name}`,
    ...devices.map(({ addresses, ...device }) => `  device ${addresses.map(one => `${writeAddress(one.address)}/${one.length}`).join(' ')} ${JSON.stringify(device)}`),
    ...routes.map(route => `  route ${writePrefix(route.prefix)} ${JSON.stringify({ ...route, prefix: undefined, ...(route.gateway === undefined ? {} : { gateway: writeAddress(route.gateway) }) })}`),
    ...rules.map(rule => `  rule ${JSON.stringify(rule)}`),
    ...neighbours.map(neighbour => `  neighbour ${writeAddress(neighbour.address)} ${neighbour.device} ${neighbour.mac} ${neighbour.port ?? ''}`),
    ...Object.entries(sysctls).map(([key, value]) => `  sysctl ${key} = ${value}`),
    ...ipsets.map(set => `  ipset ${JSON.stringify(set)}`),
    ...rulesets.map(({ family, source }) => `  ${family} rules of ${source.path}: ${JSON.stringify(source.text)}`),
    ...(sockets ?? []).map(({ protocol, address, port }) => `  listens ${protocol} ${address === undefined ? '*' : writeAddress(address)} ${port}`),
  ]
}
