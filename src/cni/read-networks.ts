/** Files that describe networks, and a list of pods -> what each engine is asked for: the one way from texts to hosts. */

import { reportInto } from '../diagnostics/diagnostic.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { complain, entryNamed, openYaml, rootOf } from '../yaml/yaml-reader.ts'
import type { YamlReader, YamlValue } from '../yaml/yaml-reader.ts'
import { assembleHost } from './assemble.ts'
import { looksLikeCalico, readCalico } from './calico.ts'
import { readConflist } from './conflist.ts'
import { looksLikeFlannel, readFlannel } from './flannel.ts'
import type { NetworkPart } from './generate.ts'
import type { CniNetwork, PodPlan } from './model.ts'
import { looksLikeNetavark, readNetavark } from './netavark.ts'
import { readPods } from './pods.ts'

/** The networks, everything there is to say about their description, and the keys that are of no matter for packets. */
export interface NetworkReading {
  readonly value: readonly NetworkPart[]
  readonly diagnostics: readonly Diagnostic[]
  readonly ignored: readonly string[]
}

/** Reads files, each in the form of its engine. Pods come from lists of their own and from `x-containers` of the configuration lists. */
export function readNetworks(sources: readonly SourceFile[], podSources: readonly SourceFile[]): NetworkReading {
  const diagnostics: Diagnostic[] = []
  const notes: FieldNotes = { ignored: new Set(), report: reportInto(diagnostics) }
  const parts: NetworkPart[] = []
  const networks: CniNetwork[] = []
  const pods: PodPlan[] = []
  const readers = sources.map(openYaml)
  for (const reader of readers.filter(isSound)) {
    const root = rootOf(reader)
    if (entryNamed(root, 'plugins') || entryNamed(root, 'cniVersion')) {
      const network = readConflist(root, notes)
      const containers = entryNamed(root, 'x-containers')
      networks.push(network)
      if (containers) pods.push(...readPods(containers.value, notes).map(pod => ({ ...pod, network: pod.network ?? network.name })))
      if (networks.length === 1) parts.push({ kind: 'cni', host: { networks: [], pods: [] } })
    } else parts.push(...readPart(root, notes))
  }
  const podReaders = podSources.map(openYaml)
  for (const reader of podReaders.filter(isSound)) pods.push(...readPods(rootOf(reader), notes))
  const host = assembleHost(networks, pods)
  return {
    value: parts.map(part => (part.kind === 'cni' ? { kind: 'cni', host: host.value } : part)),
    diagnostics: [...[...readers, ...podReaders].flatMap(reader => reader.diagnostics), ...diagnostics, ...host.diagnostics],
    ignored: [...notes.ignored],
  }
}

function isSound({ diagnostics }: YamlReader): boolean {
  return diagnostics.length === 0
}

function readPart(root: YamlValue, notes: FieldNotes): readonly NetworkPart[] {
  if (looksLikeCalico(root)) return [{ kind: 'calico', node: readCalico(root, notes) }]
  if (looksLikeFlannel(root)) return [{ kind: 'flannel', node: readFlannel(root, notes) }]
  if (looksLikeNetavark(root)) return [{ kind: 'netavark', host: readNetavark(root, notes) }]
  complain(root.reader, 'wrong-kind', { ...root.span, end: Math.min(root.span.end, root.span.start + 1) }, 'this describes no network that is known', 'a CNI configuration list has `plugins`, a configuration of flannel `network` and `lease`, one of netavark networks with `subnet`, one of calico `felix` and `workloads`')
  return []
}
