/** 5x5 snapshot on real namespaces: what it writes is read without a complaint and says what was made. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { readRuleset } from '../../src/save/read.ts'
import { readTopology } from '../../src/topology/load.ts'
import { printedBy } from '../printed-by.ts'
import { kernel } from './live.ts'
import { makeSnapshotLab, removeSnapshotLab } from './snapshot-lab.ts'

const { live, why } = kernel()
const prefix = `5x5-snap-${process.pid}-`

describe.skipIf(!live)(`5x5 snapshot: ${live ? 'live' : `not run: ${why}`}`, () => {
  let printed = ''
  beforeAll(async () => {
    const lab = makeSnapshotLab(prefix)
    printed = await printedBy(['snapshot', ...Object.values(lab).flatMap(name => ['--namespace', name])], '.')
  })
  afterAll(() => removeSnapshotLab(prefix))

  test('what it writes is read without a complaint', () => {
    const { diagnostics } = readTopology({ path: 'host.yaml', text: fileOf(printed) })
    // The far end of the test has no default route on purpose.
    expect(writeDiagnostics(diagnostics.filter(({ code }) => code !== 'no-default-route'), plain)).toBe('')
  })

  test('it says what the machine has', () => {
    const { value } = readTopology({ path: 'host.yaml', text: fileOf(printed) })
    const [gateway, web, db] = value.namespaces
    expect(value.namespaces.map(({ name }) => name)).toEqual([`${prefix}gw`, `${prefix}web`, `${prefix}db`])
    const device = (name: string) => gateway?.devices.find(one => one.name === name)
    expect(device('vweb')).toMatchObject({ kind: 'veth', master: 'br0', peer: { namespace: `${prefix}web`, device: 'eth0' }, hairpin: false, mac: '024200000011' })
    expect(device('vdb')).toMatchObject({ master: 'br0', peer: { namespace: `${prefix}db`, device: 'eth0' }, hairpin: true })
    expect(device('wan')).toMatchObject({ peer: { namespace: `${prefix}gw`, device: 'wan-far' }, mtu: 1400, up: true })
    expect(device('wan-far')).toMatchObject({ up: false })
    expect(gateway?.routes).toHaveLength(5)
    expect(gateway?.rules).toHaveLength(3)
    expect(gateway?.neighbours).toMatchObject([{ device: 'br0', mac: '0242ac140002', port: 'vweb' }])
    expect(gateway?.sysctls).toMatchObject({ 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.wan.rp_filter': '2', 'net.ipv4.conf.br0.route_localnet': '1' })
    expect(gateway?.ipsets).toMatchObject([{ name: 'allowed', type: 'hash:net', entries: [{ text: '198.51.100.0/24' }] }])
    expect(web?.sockets).toEqual([])
    expect(db?.rulesets ?? []).toEqual([])
    expect([gateway, web].map(namespace => namespace?.rulesets?.map(({ family, source }) => ({ family, rules: readRuleset([source]).value.ruleCount })))).toEqual([[{ family: 'ipv4', rules: 2 }], [{ family: 'ipv4', rules: 1 }]])
  })

  test('it says what it leaves out', () => {
    expect(printed).toContain('left out: namespace')
    expect(printed).toContain('it has 2 next hops, of which only the first is written')
  })

  test('a namespace that is not there is told', async () => {
    expect(await printedBy(['snapshot', '--namespace', `${prefix}none`], '.')).toMatch(/^error: there is no network namespace `.*none`\n[^]*\(exit code 2\)\n$/)
  })
})

/** The file comes first, then what standard error says. */
function fileOf(text: string): string {
  return text.split('\n').filter(line => !line.startsWith('left out:')).join('\n')
}
