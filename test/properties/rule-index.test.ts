/** Long chains with an index: a packet matches the same rules in the same order as where every rule is looked at. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makePacket } from '../../src/packet/packet.ts'
import { readRuleset } from '../../src/save/read.ts'
import { trace } from '../../src/simulate/trace.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { assumedTopology } from '../../src/topology/assumed.ts'

const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.9')
const port = fc.constantFrom(22, 53, 80, 443)
const protocol = fc.constantFrom('tcp', 'udp')
const perhaps = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof({ weight: 3, arbitrary: text }, fc.constant(''))

const target = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  fc.constantFrom(' -j RETURN', ' -j MARK --set-mark 1', ' -j TTL --ttl-set 9', ' -j INNER', ' -g INNER', ' -j ACCEPT', ' -j DROP'),
)
const conditions = fc.tuple(
  perhaps(address.map(text => ` -s ${text}/32`)),
  perhaps(fc.tuple(fc.boolean(), address).map(([inverted, text]) => `${inverted ? ' !' : ''} -d ${text}/32`)),
  perhaps(fc.tuple(protocol, fc.boolean(), port).map(([name, inverted, number]) => ` -p ${name} -m ${name}${inverted ? ' !' : ''} --dport ${number}`)),
  perhaps(fc.constantFrom(' -m mark --mark 0x1', ' -m statistic --mode nth --every 2 --packet 0', ' -m limit --limit 1/hour --limit-burst 3')),
)
const ruleOf = (chain: string): fc.Arbitrary<string> => fc.tuple(conditions, target).map(([parts, does]) => `-A ${chain}${parts.join('')}${chain === 'INNER' ? does.replace(/ -[jg] INNER/, '') : does}`)
const rules = fc.tuple(fc.array(ruleOf('PREROUTING'), { minLength: 12, maxLength: 60 }), fc.array(ruleOf('INNER'), { minLength: 12, maxLength: 30 }))
const packet = fc.record({ src: address, dst: address, protocol, dport: port })

test('an index leaves out only rules that do not match', () => {
  fc.assert(
    fc.property(rules, fc.array(packet, { minLength: 1, maxLength: 6 }), ([outer, inner], packets) => {
      const text = ['*mangle', ':PREROUTING ACCEPT [0:0]', ':INNER - [0:0]', ...outer, ...inner, 'COMMIT', ''].join('\n')
      const { value, diagnostics } = readRuleset([{ path: 'rules', text }])
      expect(diagnostics.filter(one => one.severity === 'error')).toEqual([])
      const options = { topology: assumedTopology([value], []), rulesets: [value] }
      const [indexed, complete] = [makeWorld(options), makeWorld(options)]
      for (const one of packets) {
        const probe = { inDevice: 'lo', packet: makePacket({ src: ipv4(one.src), dst: ipv4(one.dst), protocol: one.protocol === 'tcp' ? 6 : 17, sport: 40000, dport: one.dport }) }
        expect(trace(indexed, probe, { record: 'none' }).way.path).toEqual(trace(complete, probe, { record: 'all' }).way.path)
      }
    }),
    { numRuns: 200 },
  )
})

function ipv4(text: string): number {
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}
