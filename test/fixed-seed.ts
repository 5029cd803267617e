/** Random tests try the same values on every run, so that what fails fails again; FIVEBYFIVE_SEED takes others. */

import fc from 'fast-check'

export const SEED = Number(process.env['FIVEBYFIVE_SEED'] ?? 20261)

fc.configureGlobal({ seed: SEED })
