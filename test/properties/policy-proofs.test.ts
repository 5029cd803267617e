/**
 * What the tests of a policy prove is so: random assertions about random policies are proved, and tried out with random packets in the simulator.
 * One that holds must hold of each of them, one that fails must come with a packet of which it fails, and of one that speaks of nothing there must be no packet.
 * POLICIES=1000 SEED=7 for more, of another kind.
 */

import { expect, test } from 'vitest'
import { makeChance } from '../chance.ts'
import { testPolicy } from '../../src/analyze/policy-tests.ts'
import type { Finding } from '../../src/analyze/policy-tests.ts'
import { writeAddress } from '../../src/net/address.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { toRuleset } from '../../src/policy/to-ruleset.ts'
import { trace } from '../../src/simulate/trace.ts'
import type { Outcome } from '../../src/simulate/trace-events.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import type { WorldOptions } from '../../src/simulate/world.ts'
import { isTraffic } from './policy-meaning.ts'
import type { Sent } from './policy-meaning.ts'
import { makeAssertion } from './random-assertions.ts'
import type { RandomAssertion } from './random-assertions.ts'
import { compileText, hostWith, makeSent, probeOf, routeOf } from './random-host.ts'
import { comesFrom, goesTo, isAmong } from './random-places.ts'
import { COMING, makeRandomPolicy, OVER } from './random-policies.ts'
import type { RandomZone } from './random-universe.ts'

const POLICIES = Number(process.env['POLICIES'] ?? 5)
const SEED = Number(process.env['SEED'] ?? 1)
const ASSERTIONS = 8
const PACKETS = 60

/** Proofs speak of what stays within its limits and its days. */
const ASSUME = new Map([COMING, OVER].map(day => [`-m time --datestop ${day}T23:59:59`, true]))

test(`${POLICIES} policies from seed ${SEED}`, () => {
  const tally = { holds: 0, fails: 0, vacuous: 0, unsure: 0 }
  for (let number = 0; number < POLICIES; number++) {
    const chance = makeChance(SEED * 1_000_003 + number)
    const policy = makeRandomPolicy(chance)
    const assertions = Array.from({ length: ASSERTIONS }, () => makeAssertion(chance, policy))
    const text = `${policy.text}test "random" {\n${assertions.map(one => `  ${one.text}\n`).join('')}}\n`
    const { value, compiled } = compileText(text)
    const topology = hostWith(compiled.rules)
    const rulesets = { ipv4: toRuleset(compiled.rules.ipv4, value.zones), ipv6: toRuleset(compiled.rules.ipv6, value.zones) }
    const [namespace] = topology.namespaces
    if (!namespace) throw new Error('there is no host')
    const tested = testPolicy(value.assertions, { rulesets, namespace, backend: 'legacy' })
    const packets = Array.from({ length: PACKETS }, () => makeSent(chance)).map(sent => ({ sent, outcome: send({ topology, rulesets: [rulesets.ipv4, rulesets.ipv6] }, probeOf(sent)) }))
    for (const [index, assertion] of assertions.entries()) {
      const finding: Finding | undefined = tested[index]?.finding
      if (!finding) throw new Error('an assertion was not tested')
      tally[finding.kind]++
      const about = `${text}${assertion.text}`
      if (finding.kind === 'fails') {
        const outcome = send({ topology, rulesets: [rulesets[finding.family]] }, finding.probe)
        expect(isBroken(assertion, outcome.kind), `${about}: ${writeProbe(finding.probe)} ${outcome.kind}`).toBe(true)
      }
      const spokenOf = finding.kind === 'fails' ? [] : packets.filter(({ sent, outcome }) => isSpokenOf(assertion, sent, outcome, policy.zones))
      for (const { sent, outcome } of spokenOf) expect({ sent, isBroken: isBroken(assertion, outcome.kind) || finding.kind === 'vacuous' }, about).toEqual({ sent, isBroken: finding.kind === 'unsure' && isBroken(assertion, outcome.kind) })
    }
  }
  expect(Math.min(tally.holds, tally.fails), JSON.stringify(tally)).toBeGreaterThan(0)
  // Of two limits the one behind the other may decide what nobody can tell.
  expect(tally.unsure).toBeLessThan(tally.holds / 20)
})

function send(options: WorldOptions, probe: Probe): Outcome {
  return trace(makeWorld(options), probe, { record: 'none', assume: ASSUME }).outcome
}

function isBroken({ outcome }: RandomAssertion, kind: Outcome['kind']): boolean {
  const isPassed = kind !== 'drop' && kind !== 'reject'
  return outcome === 'refused' ? isPassed : outcome === 'accepted' ? !isPassed : outcome === 'dropped' ? kind !== 'drop' : kind !== 'reject'
}

/** An expectation speaks of what is sent to its end; `never` of what gets there. */
function isSpokenOf({ outcome: wanted, services, from, to }: RandomAssertion, sent: Sent, { kind, packet }: Outcome, zones: readonly RandomZone[]): boolean {
  if (isAmong(from, sent, zones, comesFrom) !== true) return false
  const isPassed = kind !== 'drop' && kind !== 'reject'
  if (wanted === 'refused' && !isPassed) return false
  const dst = wanted === 'refused' ? writeAddress(packet.dst) : sent.dst
  const { dport } = wanted === 'refused' ? packet : sent
  const way = { ...sent, dst, ...(dport === undefined ? {} : { dport }), outDevice: routeOf(dst) }
  const isNamed = !services || (services.included.some(one => isTraffic(one, way)) && !services.excluded.some(one => isTraffic(one, way)))
  return isNamed && isAmong(to, way, zones, goesTo) === true
}
