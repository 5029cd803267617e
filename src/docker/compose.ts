/** A compose file -> what it asks of the engine. Never throws: what cannot be read is reported and left out. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import { fieldsOf } from '../draft/fields.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { entriesOf, isEmpty, openYaml, rootOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry } from '../yaml/yaml-reader.ts'
import { planContainers } from './compose-containers.ts'
import { FILE_KEYS } from './compose-keys.ts'
import { readNetwork } from './compose-network.ts'
import type { ComposeNetwork } from './compose-network.ts'
import { composeReader, filledText } from './compose-reader.ts'
import type { ComposeReader } from './compose-reader.ts'
import { readService } from './compose-service.ts'
import type { ComposeService } from './compose-service.ts'
import { readDaemonKeys } from './daemon-json.ts'
import type { DaemonOptions } from './daemon-options.ts'
import { DEFAULT_NETWORK } from './default-network.ts'
import type { Engine } from './engine.ts'
import type { Variables } from './interpolate.ts'
import type { HostPlan, NetworkPlan } from './plan.ts'
import { startOrder } from './start-order.ts'

/** What a compose file does not say itself. `directory` names the project where the file does not. */
export interface ComposeContext {
  readonly engine: Engine
  readonly options: DaemonOptions
  readonly directory: string
  readonly variables: Variables
}

/** The plan, everything there is to say about the file, and the keys that are of no matter for packets. */
export interface ComposeReading {
  readonly value: HostPlan
  readonly diagnostics: readonly Diagnostic[]
  readonly ignored: readonly string[]
}

/** Reads a compose file. */
export function readCompose(source: SourceFile, context: ComposeContext): ComposeReading {
  const yaml = openYaml(source)
  const reader = composeReader(context.engine, context.variables, yaml.diagnostics)
  const root = rootOf(yaml)
  const start: Span = { source, start: 0, end: Math.min(1, source.text.length) }
  const empty: HostPlan = { project: projectName(context.directory), engine: context.engine, options: context.options, networks: [], containers: [], span: start }
  if (yaml.document.errors.length > 0) return { value: empty, diagnostics: yaml.diagnostics, ignored: [] }
  const find = fieldsOf(root, 'a compose file', FILE_KEYS, reader)
  if (!find('services') && !find('x-docker')) reader.report('empty-file', 'error', start, 'the file has no `services`', { help: FIRST_LINES })
  const nameEntry = find('name')
  const project = projectName((nameEntry && filledText(nameEntry.value, '`name`', reader)) ?? context.directory)
  const options = readDaemonKeys(find('x-docker')?.value, context.options, reader)
  const networks = new Map(entriesAt(find('networks'), '`networks`').map(entry => [entry.key, readNetwork(entry, project, reader)] as const))
  const services = entriesAt(find('services'), '`services`').map(entry => readService(entry, reader)).filter(service => isStarted(service, reader))
  const known = withDefault(networks, services, project, start)
  checkNames(services, known, reader)
  const order = startOrder(services, reader.report)
  const diagnostics = (): readonly Diagnostic[] => yaml.diagnostics.toSorted((one, other) => one.span.start - other.span.start)
  return {
    value: { ...empty, project, options, networks: plannedNetworks(known, services, reader), containers: planContainers(order, known, project, reader) },
    diagnostics: diagnostics(), ignored: [...reader.ignored].sort(),
  }
}

const FIRST_LINES = 'a compose file begins with `services:` and below it `web: { image: nginx, ports: ["8080:80"] }`'

function entriesAt(entry: YamlEntry | undefined, what: string): readonly YamlEntry[] {
  return entry && !isEmpty(entry.value) ? entriesOf(entry.value, what) : []
}

/** Lower case letters, digits, dashes and underscores, with a letter or digit first. Source: compose-go loader NormalizeProjectName(). */
function projectName(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '').replace(/^[_-]+/, '') || 'project'
}

function isStarted(service: ComposeService, reader: ComposeReader): boolean {
  if (service.profiles.length === 0) return true
  reader.report('not-modelled', 'note', service.span, `service \`${service.name}\` belongs to ${service.profiles.map(name => `profile \`${name}\``).join(', ')}: it is left out, as \`docker compose up\` does`)
  return false
}

/** The network of services that name none exists though nobody describes it. */
function withDefault(networks: ReadonlyMap<string, ComposeNetwork>, services: readonly ComposeService[], project: string, span: Span): ReadonlyMap<string, ComposeNetwork> {
  const isNeeded = services.some(service => networkKeys(service).includes('default'))
  if (!isNeeded || networks.has('default')) return networks
  const plan: NetworkPlan = { key: 'default', name: `${project}_default`, span, isInternal: false, ipv4: true, ipv6: false, options: [], pools: [] }
  return new Map([...networks, ['default', { plan, isExternal: false, driver: 'bridge' }]])
}

/** Returns the keys of the networks that a service joins; docker0 is none of them. */
function networkKeys({ mode, joins }: ComposeService): readonly string[] {
  return mode.kind !== 'networks' ? [] : joins ? joins.map(({ network }) => network) : ['default']
}

function checkNames(services: readonly ComposeService[], networks: ReadonlyMap<string, ComposeNetwork>, { report }: ComposeReader): void {
  const names = services.map(({ name }) => name)
  for (const { name, joins = [], dependsOn, mode } of services) {
    for (const { network, span } of joins) {
      if (networks.has(network) || network === 'default') continue
      report('unknown-network', 'error', span, `service \`${name}\` is on network \`${network}\`, which is not described`, { help: didYouMean(network, [...networks.keys()]) ?? `add it under \`networks:\`` })
    }
    const needed = mode.kind === 'service' ? [...dependsOn, { value: mode.name, span: mode.span }] : dependsOn
    for (const { value, span } of needed) {
      if (names.includes(value)) continue
      const near = didYouMean(value, names)
      report('unknown-service', 'error', span, `there is no service \`${value}\``, near === undefined ? {} : { help: near })
    }
  }
}

/** Networks that no service joins are not made; the others are made by the order of their keys. */
function plannedNetworks(networks: ReadonlyMap<string, ComposeNetwork>, services: readonly ComposeService[], { report }: ComposeReader): readonly NetworkPlan[] {
  const used = new Set(services.flatMap(networkKeys))
  const made = [...networks.values()].filter(({ plan }) => used.has(plan.key)).toSorted((one, other) => (one.plan.key < other.plan.key ? -1 : 1))
  for (const { plan, isExternal, driver } of made) {
    if (driver !== 'bridge') report('not-modelled', 'warning', plan.span, `driver \`${driver}\` of network \`${plan.key}\` is not modelled: containers have no device there`, { help: 'the engine writes no rules for it' })
    else if (isExternal && plan.name !== DEFAULT_NETWORK) report('not-modelled', 'warning', plan.span, `network \`${plan.name}\` is external: what this file does not say of it is taken as the default`, { help: ELSEWHERE })
  }
  return made.filter(({ driver, plan }) => driver === 'bridge' && plan.name !== DEFAULT_NETWORK).map(({ plan }) => plan)
}

const ELSEWHERE = '`docker network inspect` tells its subnet and options: write them under `ipam` and `driver_opts`'
