/** The worked examples of pods and services: a description for each, and what the engine itself writes. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { generateRules } from '../src/cni/generate.ts'
import { readNetworks } from '../src/cni/read-networks.ts'
import { textOfLines } from '../src/draft/rule-book.ts'
import { generateRules as generateProxyRules } from '../src/kube/generate.ts'
import { readCluster } from '../src/kube/read-cluster.ts'

const EXAMPLES = '../shared/facts/docker-examples'

/** The description in each folder; a folder with none of them is another test's. */
const NETWORK_FILES = ['conflist.json', 'net-conf.yaml', 'networks.yaml', 'network.yaml']

describe.skipIf(!existsSync(EXAMPLES))('worked examples of networks', () => {
  const folders = existsSync(EXAMPLES) ? readdirSync(EXAMPLES).filter(name => NETWORK_FILES.some(file => existsSync(`${EXAMPLES}/${name}/${file}`))).sort() : []

  describe.each(folders)('%s', folder => {
    const path = `${EXAMPLES}/${folder}/${NETWORK_FILES.find(file => existsSync(`${EXAMPLES}/${folder}/${file}`))}`
    const { value, diagnostics } = readNetworks([{ path, text: readFileSync(path, 'utf8') }], [])

    test.each(['v4', 'v6'] as const)('%s', version => {
      expect(diagnostics).toEqual([])
      const file = `${EXAMPLES}/${folder}/expected.${version}.rules`
      expect(textOfLines(generateRules(value, version === 'v4' ? 'ipv4' : 'ipv6'))).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '')
    })
  })
})

describe.skipIf(!existsSync(EXAMPLES))('worked example of kube-proxy', () => {
  const folders = existsSync(EXAMPLES) ? readdirSync(EXAMPLES).filter(name => existsSync(`${EXAMPLES}/${name}/services.yaml`)) : []

  test.each(folders.flatMap(folder => (['v4', 'v6'] as const).map(version => ({ folder, version }))))('$folder $version', ({ folder, version }) => {
    const path = `${EXAMPLES}/${folder}/services.yaml`
    const { value, diagnostics } = readCluster([{ path, text: readFileSync(path, 'utf8') }], {})
    expect(diagnostics).toEqual([])
    const file = `${EXAMPLES}/${folder}/expected.${version}.rules`
    expect(textOfLines(generateProxyRules(value, version === 'v4' ? 'ipv4' : 'ipv6'))).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '')
  })
})
