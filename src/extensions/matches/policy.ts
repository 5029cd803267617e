/** Source: iptables-extensions(8) "policy"; net/netfilter/xt_policy.c policy_mt(), policy_mt_check(). */

import { not } from '../../meaning/predicate.ts'
import { defineMatch, read, refuse } from '../extension.ts'
import type { OptionType } from '../extension.ts'
import { flag } from '../option-types.ts'
import { elementsProblem, joinSteps, POLICY_STEPS, policyElements, writeElements } from '../policy-elements.ts'
import { undecided } from '../undecided.ts'

const { reqid: reqidStep, ...otherSteps } = POLICY_STEPS

/** Kernel: `--pol none` holds of packets that no IPsec policy has handled, the elements are then not looked at. */
export const policy = defineMatch({
  name: 'policy',
  doc: 'matches packets by the IPsec policy that has handled or will handle them',
  options: {
    dir: { type: oneOf('in', 'out'), required: true, doc: 'the policy of arrival or departure' },
    pol: { type: oneOf('none', 'ipsec'), default: 'ipsec', doc: 'whether there is none or one' },
    strict: { type: flag, doc: 'all of the policy is compared, element by element' },
    reqid: {
      type: reqidStep, invertible: true, repeatable: true, spellings: otherSteps, merge: joinSteps, print: () => undefined,
      doc: 'conditions on an element: request id, and with --spi, --proto, --mode, --tunnel-dst and --tunnel-src the others; --next begins the next element',
    },
  },
  print({ dir, pol, strict, reqid: steps }) {
    const elements = pol?.value === 'none' ? '' : writeElements(policyElements(steps))
    return [`--dir ${dir?.value ?? ''}`, `--pol ${pol?.value ?? 'ipsec'}`, ...(strict ? ['--strict'] : []), ...(elements === '' ? [] : [elements])].join(' ')
  },
  means({ dir, pol, strict, reqid: steps }) {
    const elements = pol?.value === 'none' ? '' : writeElements(policyElements(steps))
    const isIpsec = undecided(`-m policy --dir ${dir?.value ?? ''} --pol ipsec${strict ? ' --strict' : ''}${elements === '' ? '' : ` ${elements}`}`)
    return pol?.value === 'none' ? not(isIpsec) : isIpsec
  },
  check({ dir, pol, strict, reqid: steps }, { hooks }) {
    const elements = policyElements(steps)
    if (elements.length > 1 && !strict) return '`--next` needs `--strict`'
    if (pol?.value === 'none' && (strict || elements.length > 1)) return '`--pol none` cannot stand beside `--strict`'
    if (dir?.value === 'out' && hooks.some(hook => hook === 'PREROUTING' || hook === 'INPUT')) return '`--dir out` cannot be used in PREROUTING and INPUT'
    if (dir?.value === 'in' && hooks.some(hook => hook === 'OUTPUT' || hook === 'POSTROUTING')) return '`--dir in` cannot be used in OUTPUT and POSTROUTING'
    return pol?.value === 'none' ? undefined : elementsProblem(elements, strict !== undefined)
  },
})

function oneOf(...names: readonly string[]): OptionType<string> {
  return {
    syntax: names.join('|'), words: 1,
    read: ([word = '']) => (names.includes(word) ? read(word) : refuse(`\`${word}\` is none of ${names.join(', ')}`)),
    write: value => [value],
  }
}
