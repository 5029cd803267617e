/**
 * Networks and services of our own: fixtures/cni/hosts and fixtures/kube/clusters (descriptions, with the rules they make), fixtures/cni/broken and
 * fixtures/kube/broken (what is said of a description that is wrong), and the commands as they print.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readBase } from '../cli/docker/host-rules.ts'
import type { HostRules } from '../cli/docker/host-rules.ts'
import { generatedRules } from '../cli/network/generated-rules.ts'
import type { Generate } from '../cli/network/generated-rules.ts'
import { PROXY_FLAGS, readProxyFlags } from '../cli/network/proxy-flags.ts'
import { generateRules as generateNetworkRules } from '../src/cni/generate.ts'
import { readNetworks } from '../src/cni/read-networks.ts'
import type { Diagnostic } from '../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../src/diagnostics/source-file.ts'
import { textOfLines } from '../src/draft/rule-book.ts'
import { generateRules as generateProxyRules } from '../src/kube/generate.ts'
import { familiesOf } from '../src/kube/model.ts'
import { endpointText } from '../src/kube/names.ts'
import { readCluster } from '../src/kube/read-cluster.ts'
import { viewOf } from '../src/kube/service-view.ts'
import { readPacket } from '../src/packet/notation.ts'
import { plain } from '../src/report/paint.ts'
import { writeDiagnostics } from '../src/report/pretty.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRuleset } from '../src/save/write.ts'
import { trace } from '../src/simulate/trace.ts'
import { makeWorld } from '../src/simulate/world.ts'
import { assumedHost } from '../src/topology/assumed-host.ts'
import { printedBy } from './printed-by.ts'

interface Reading {
  readonly diagnostics: readonly Diagnostic[]
  readonly generate: Generate
}

const READERS: Readonly<Record<'cni' | 'kube', { readonly sound: string; readonly read: (folder: string, sources: readonly SourceFile[]) => Reading }>> = {
  cni: {
    sound: 'hosts',
    read(_, sources) {
      const isPods = ({ path }: SourceFile): boolean => path.endsWith('/pods.yaml')
      const { value, diagnostics } = readNetworks(sources.filter(source => !isPods(source)), sources.filter(isPods))
      return { diagnostics, generate: (family, base) => generateNetworkRules(value, family, base) }
    },
  },
  kube: {
    sound: 'clusters',
    read(folder, sources) {
      const words = existsSync(`${folder}/flags.txt`) ? readFileSync(`${folder}/flags.txt`, 'utf8').trim().split(' ') : []
      const { value, diagnostics } = readCluster(sources, readProxyFlags(parseArgs({ args: words, options: PROXY_FLAGS }).values))
      return { diagnostics, generate: (family, base) => generateProxyRules(value, family, base) }
    },
  },
}

describe.each(['cni', 'kube'] as const)('%s', kind => {
  const { sound, read } = READERS[kind]

  describe.each(readdirSync(`fixtures/${kind}/${sound}`))('%s', name => {
    const folder = `fixtures/${kind}/${sound}/${name}`
    const { diagnostics, generate } = read(folder, sourcesIn(folder))
    const basePath = `${folder}/host.rules`
    const base = existsSync(basePath) ? readBase([basePath], '.') : []

    test('what is said', async () => {
      expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([])
      await expect(diagnostics.length === 0 ? 'nothing\n' : writeDiagnostics(diagnostics, plain, true)).toMatchFileSnapshot(`${process.cwd()}/${folder}/said.txt`)
    })

    test.each(generatedRules(generate, { base }))('$source.path', async rules => {
      await expect(rules.source.text).toMatchFileSnapshot(`${process.cwd()}/${folder}/${rules.source.path}`)
      expectReadable(rules)
    })
  })

  describe.each(readdirSync(`fixtures/${kind}/broken`).filter(name => !name.endsWith('.txt')))('broken %s', name => {
    test('what is said', async () => {
      const path = `fixtures/${kind}/broken/${name}`
      const { diagnostics, generate } = read('', [{ path, text: readFileSync(path, 'utf8') }])
      expect(diagnostics).not.toEqual([])
      for (const rules of generatedRules(generate, { base: [] })) expectReadable(rules)
      await expect(writeDiagnostics(diagnostics, plain, true)).toMatchFileSnapshot(`${process.cwd()}/${path.replace(/\.\w+$/, '.txt')}`)
    })
  })

  const lines = readFileSync(`fixtures/${kind}/commands/commands.txt`, 'utf8').split('\n').filter(line => line !== '')

  test.each(lines)('prints %s', async line => {
    const [name = '', ...words] = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2] ?? '')
    await expect(await printedBy(words, '.')).toMatchFileSnapshot(`${process.cwd()}/fixtures/${kind}/commands/${name}.out`)
  })
})

/** What is generated is what our reader reads and writes again, and every rule says why it is there. */
function expectReadable({ family, lines, source }: HostRules): void {
  const { value, diagnostics } = readRuleset([source], { family })
  expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([])
  expect(writeRuleset(value, { tableOrder: 'file' })).toBe(source.text)
  for (const { step } of lines) if (step) expect(step.reason).toMatch(/^[a-z0-9:.].*[^.]$/)
}

function sourcesIn(folder: string): readonly SourceFile[] {
  return readdirSync(folder).filter(name => /\.(conflist|yaml)$/.test(name)).sort().map(name => ({ path: `${folder}/${name}`, text: readFileSync(`${folder}/${name}`, 'utf8') }))
}

/** A node that forwards what it has no address for. */
const NODE = { namespaces: [{ ...assumedHost([]).namespace, sysctls: { 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' } }], labels: [], assumptions: [] }

/** Clients in the world, who ask by whatever address of a service has an endpoint for them. */
describe.each(readdirSync('fixtures/kube/clusters'))('packets for the services of %s', name => {
  const folder = `fixtures/kube/clusters/${name}`
  const flags = existsSync(`${folder}/flags.txt`) ? readFileSync(`${folder}/flags.txt`, 'utf8').trim().split(' ') : []
  const { value: node } = readCluster(sourcesIn(folder), readProxyFlags(parseArgs({ args: flags, options: PROXY_FLAGS }).values))

  test.each(familiesOf(node))('%s reach an endpoint, or are refused', family => {
    const rulesets = [readRuleset([{ path: 'rules', text: textOfLines(generateProxyRules(node, family)) }], { family }).value]
    for (const service of node.services) {
      const view = viewOf(service, family, node.options)
      if (!view) continue
      const packet = readPacket(`eth0 ${service.protocol} ${family === 'ipv4' ? '198.51.100.7:40000' : '[2001:db8:1::7]:40000'} > ${endpointText({ address: view.clusterAddress, port: service.port })}`)
      if (!packet.ok || packet.value.kind !== 'probe') throw new Error(`${service.name} cannot be asked for`)
      const { outcome } = trace(makeWorld({ topology: NODE, rulesets }), packet.value.probe, { record: 'none' })
      const usable = (service.isInternalLocal ? view.chosen.local : view.chosen.cluster).map(endpointText)
      if (view.hasInternal) expect(outcome.kind === 'forward' && usable.includes(endpointText({ address: outcome.packet.dst, port: outcome.packet.dport ?? 0 }))).toBe(true)
      else expect(outcome.kind).toBe(view.chosen.hasAny ? 'drop' : 'reject')
    }
  })
})
