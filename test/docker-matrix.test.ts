/** The rules of one network, endpoint and port in every combination of options, against the recorded ones of the corpora. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defaultOptions } from '../src/docker/daemon-options.ts'
import { readEngine } from '../src/docker/engine.ts'
import type { GatewayMode } from '../src/docker/engine.ts'
import { generateRules } from '../src/docker/generate.ts'
import type { DockerHost, DockerNetwork, NetworkSide, PortBinding } from '../src/docker/model.ts'
import { textOfLines } from '../src/draft/rule-book.ts'
import { readAddress, readPrefix } from '../src/net/address.ts'
import type { Address, Family } from '../src/net/address.ts'

const MATRIX = '../shared/corpora/docker/iptabler-matrix.json'

interface MatrixConfig {
  readonly cleaned?: boolean
  /** The engine leaves iptables alone. */
  readonly no?: boolean
  readonly hairpin: boolean
  readonly internal?: boolean
  readonly icc?: boolean
  readonly masq?: boolean
  readonly snat?: boolean
  readonly gwm?: GatewayMode
  readonly bindlh?: boolean
  readonly wsl2mirrored?: boolean
}

interface MatrixCase {
  readonly file: string
  readonly family: 4 | 6
  readonly config: MatrixConfig
  readonly tables: Readonly<Record<string, { readonly policies: Readonly<Record<string, string>>; readonly chains: readonly string[]; readonly rules: readonly string[] }>>
}

describe.skipIf(!existsSync(MATRIX))('the option matrix', () => {
  const cases = existsSync(MATRIX) ? (JSON.parse(readFileSync(MATRIX, 'utf8')) as { cases: MatrixCase[] }).cases : []

  test.each(cases)('$file', ({ family, config, tables }) => {
    const expected = ['raw', 'nat', 'filter'].flatMap(name => {
      const table = tables[name]
      return table && (table.rules.length > 0 || name !== 'raw') ? [`*${name}`, ...Object.entries(table.policies).map(([chain, policy]) => `:${chain} ${policy} [0:0]`), ...table.chains.map(chain => `:${chain} - [0:0]`), ...table.rules, 'COMMIT'] : []
    })
    // The recordings are of the driver alone, which does not make DOCKER-USER.
    const text = textOfLines(generateRules(hostOf(config), family === 4 ? 'ipv4' : 'ipv6'))
    expect(text.split('\n').filter(line => line !== '' && !line.includes('DOCKER-USER'))).toEqual(expected)
  })
})

function hostOf(config: MatrixConfig): DockerHost {
  const engine = readEngine('29')
  if (!engine) throw new Error('29 is a release')
  const options = { ...defaultOptions(engine), iptables: !config.no, ip6tables: !config.no, userlandProxy: !config.hairpin, wsl2Mirrored: config.wsl2mirrored ?? false, hostForwards: true }
  const network: DockerNetwork = {
    name: 'dummy', key: 'dummy', bridge: 'br-dummy', isInternal: config.internal ?? false, icc: config.icc ?? true, masquerade: config.masq ?? true,
    sides: { ipv4: sideOf(config, '192.168.0.0/24', '192.168.123.0'), ipv6: sideOf(config, 'fd49:efd7:54aa::/64', 'fd34:d0d4:672f::123') },
    hostBinding: 0, trustedDevices: [], mtu: 1500, inhibitIpv4: false,
  }
  const addresses: Record<Family, Address> = { ipv4: address('192.168.0.2'), ipv6: address('fd49:efd7:54aa::1') }
  const endpoint = { network, device: 'eth0', addresses, gatewayPriority: 0 }
  const sandbox = { container: 'c', kind: 'own' as const, endpoints: [endpoint], exposed: [], guests: [], sysctls: {} }
  const bindings = (['ipv4', 'ipv6'] as const).map((family): PortBinding => ({
    protocol: 'tcp', hostAddress: config.bindlh ? address(family === 'ipv4' ? '127.0.0.1' : '::1') : family === 'ipv4' ? 0 : 0n,
    hostPort: 8080, address: addresses[family], port: 80, network, request: { protocol: 'tcp', containerPort: 80 },
  }))
  const isEmpty = config.cleaned === true
  return { project: 'matrix', engine, options, networks: isEmpty ? [] : [network], sandboxes: isEmpty ? [] : [sandbox], joins: isEmpty ? [] : [{ sandbox, endpoint, links: [], bindings }], assumptions: [] }
}

function sideOf(config: MatrixConfig, subnet: string, snat: string): NetworkSide {
  const prefix = readPrefix(subnet)
  if (!prefix) throw new Error(`${subnet} is a prefix`)
  return { prefix, mode: config.gwm ?? 'nat', reserved: [], ...(config.snat ? { hostAddress: address(snat) } : {}) }
}

function address(text: string): Address {
  const found = readAddress(text)
  if (found === undefined) throw new Error(`${text} is an address`)
  return found
}
