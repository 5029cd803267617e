/** `check` against the real programs: a ruleset has an error exactly where loading it is refused, for each backend. */

import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import { TABLE_HOOKS, TABLES } from '../../src/ir/hooks.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import { readRuleset } from '../../src/save/read.ts'
import { kernel } from './live.ts'

const USERS = ['u1', 'u2', 'u3', 'u4']
const IP = ['', '', '', '-p tcp', '-p udp', '! -p tcp', '-p icmp', '-s 10.0.0.0/8', '-i eth0', '-o eth1', '! -o eth1', '-p all', '-s 0.0.0.0/0']
const MATCHES = [
  '', '', '', '', '-m tcp --dport 80', '-m udp --dport 53', '-m icmp --icmp-type 8', '-m multiport --dports 80,90', '-m conntrack --ctstate NEW', '-m owner --uid-owner 0',
  '-m mac --mac-source 02:42:ac:11:00:02', '-m addrtype --dst-type LOCAL', '-m addrtype --dst-type LOCAL --limit-iface-in', '-m addrtype --dst-type LOCAL --limit-iface-out',
  '-m physdev --physdev-out v1', '-m physdev --physdev-is-bridged --physdev-out v1', '-m mark --mark 1', '-m comment --comment x', '-m limit --limit 1/sec', '-m tcp --syn',
]
const TARGETS = [
  '', '-j ACCEPT', '-j ACCEPT', '-j DROP', '-j RETURN', '-j QUEUE', '-j LOG', '-j REJECT', '-j REJECT --reject-with tcp-reset', '-j DNAT --to-destination 10.0.0.1',
  '-j DNAT --to-destination 10.0.0.1:80', '-j SNAT --to-source 10.0.0.1', '-j MASQUERADE', '-j MASQUERADE --to-ports 100-200', '-j REDIRECT', '-j REDIRECT --to-ports 80',
  '-j MARK --set-mark 1', '-j CONNMARK --save-mark', '-j CT --notrack', '-j NOTRACK', '-j TCPMSS --set-mss 1000', '-j TCPMSS --clamp-mss-to-pmtu', '-j CHECKSUM --checksum-fill',
]

const target = fc.oneof(fc.constantFrom(...TARGETS), fc.constantFrom(...USERS).map(name => `-j ${name}`), fc.constantFrom(...USERS).map(name => `-g ${name}`))
const plainRule = fc.tuple(fc.constantFrom('', '-p tcp'), fc.constant(''), fc.oneof(fc.constantFrom('-j ACCEPT', '-j RETURN'), fc.constantFrom(...USERS).map(name => `-j ${name}`)))
const rule = fc.oneof(plainRule, fc.tuple(fc.constantFrom(...IP), fc.constantFrom(...MATCHES), target))

const rulesets = fc.constantFrom(...TABLES).chain(table => {
  const hooks = TABLE_HOOKS[table]
  const placed = fc.tuple(fc.constantFrom(...hooks, ...USERS), rule)
  return fc.array(placed, { minLength: 1, maxLength: 5 }).map(rules =>
    [`*${table}`, ...hooks.map(hook => `:${hook} ACCEPT [0:0]`), ...USERS.map(user => `:${user} - [0:0]`), ...rules.map(([chain, words]) => ['-A', chain, ...words.filter(word => word !== '')].join(' ')), 'COMMIT', ''].join('\n'),
  )
})

describe.each(['legacy', 'nft'] as const)('refusals of iptables-%s-restore', backend => {
  test.skipIf(!kernel().live)('are the errors of check', () => {
    fc.assert(
      fc.property(rulesets, text => {
        expect({ text, errors: errorsOf(text, backend).length > 0 }).toEqual({ text, errors: isRefused(text, backend) })
      }),
      { numRuns: 150 },
    )
  })
})

function errorsOf(text: string, backend: Backend): readonly Diagnostic[] {
  const { value, diagnostics } = readRuleset([{ path: 'rules', text }], { family: 'ipv4' })
  return [...diagnostics, ...checkRuleset(value, { backend })].filter(found => found.severity === 'error' && (found.backend === undefined || found.backend === backend))
}

function isRefused(text: string, backend: Backend): boolean {
  try {
    execFileSync('unshare', ['-n', `iptables-${backend}-restore`], { input: text, stdio: ['pipe', 'pipe', 'pipe'] })
    return false
  } catch {
    return true
  }
}
