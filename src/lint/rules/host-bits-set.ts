/** `-s 10.0.0.5/24`: bits behind the prefix. */

import { adoptingRule } from '../adopt.ts'

export const hostBitsSet = adoptingRule(
  {
    id: 'host-bits-set', severity: 'warning', what: 'the address has bits behind its prefix', why: 'they are dropped when the rule is loaded: it matches the whole network, where one host may have been meant',
    help: 'write the network, or the address alone for one host',
  },
  ({ code, message }) => code === 'silent-change' && message.startsWith('the host bits of'),
)
