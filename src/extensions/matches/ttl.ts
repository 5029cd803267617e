/** Source: iptables-extensions(8) "ttl"; net/netfilter/xt_hl.c ttl_mt(). */

import { equals, within } from '../../meaning/predicate.ts'
import { defineMatch } from '../extension.ts'
import { wholeNumber } from '../option-types.ts'

const byte = wholeNumber(0, 255)

export const ttl = defineMatch({
  name: 'ttl',
  doc: 'matches the time to live',
  families: ['ipv4'],
  requiresOneOf: ['ttl-eq', 'ttl-lt', 'ttl-gt'],
  options: {
    'ttl-eq': { type: byte, invertible: true, aliases: ['--ttl'], excludes: ['ttl-lt', 'ttl-gt'], doc: 'TTL is this', means: value => equals('ip.ttl', value) },
    'ttl-lt': { type: byte, excludes: ['ttl-eq', 'ttl-gt'], doc: 'TTL is below this', means: value => within('ip.ttl', 0, value - 1) },
    'ttl-gt': { type: byte, excludes: ['ttl-eq', 'ttl-lt'], doc: 'TTL is above this', means: value => within('ip.ttl', value + 1, 255) },
  },
})
