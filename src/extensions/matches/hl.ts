/** Source: iptables-extensions(8) "hl"; net/netfilter/xt_hl.c hl_mt6(). */

import { equals, within } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'

const byte = wholeNumber(0, 255)

export const hl = defineMatch({
  name: 'hl',
  doc: 'matches the hop limit',
  families: ['ipv6'],
  requiresOneOf: ['hl-eq', 'hl-lt', 'hl-gt'],
  options: {
    'hl-eq': { type: byte, invertible: true, aliases: ['--hl'], excludes: ['hl-lt', 'hl-gt'], doc: 'hop limit is this', means: value => equals('ip.ttl', value) },
    'hl-lt': { type: byte, excludes: ['hl-eq', 'hl-gt'], doc: 'hop limit is below this', means: value => within('ip.ttl', 0, value - 1) },
    'hl-gt': { type: byte, excludes: ['hl-eq', 'hl-lt'], doc: 'hop limit is above this', means: value => within('ip.ttl', value + 1, 255) },
  },
})
