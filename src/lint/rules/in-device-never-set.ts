/** `-i` and `-o` in user chains that only hooks without such a device reach. */

import { adoptingRule } from '../adopt.ts'

export const inDeviceNeverSet = adoptingRule(
  {
    id: 'in-device-never-set', severity: 'warning', what: 'the rule asks for a device that packets do not have here',
    why: 'a packet that this host makes has no device of arrival, and one that arrives has no device of departure yet: the rule loads and never matches',
  },
  ({ code, severity }) => code === 'misplaced-device' && severity === 'warning',
)
