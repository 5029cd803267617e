/** Connection states and statuses by name. Source: extensions/libxt_conntrack.c conntrack_ps_state(), print_state(). */

import { CT_STATE, CT_STATUS } from '../meaning/fields.ts'
import { abbreviatedNames } from './name-lists.ts'
import type { BitNames } from './name-lists.ts'

const TRIED_STATES: BitNames = [['INVALID', CT_STATE.INVALID], ['NEW', CT_STATE.NEW], ['ESTABLISHED', CT_STATE.ESTABLISHED], ['RELATED', CT_STATE.RELATED], ['UNTRACKED', CT_STATE.UNTRACKED]]
const PRINTED_STATES: BitNames = [['INVALID', CT_STATE.INVALID], ['NEW', CT_STATE.NEW], ['RELATED', CT_STATE.RELATED], ['ESTABLISHED', CT_STATE.ESTABLISHED], ['UNTRACKED', CT_STATE.UNTRACKED]]
const NAT_STATES: BitNames = [['SNAT', CT_STATE.SNAT], ['DNAT', CT_STATE.DNAT]]
const STATUSES: BitNames = [['NONE', 0], ['EXPECTED', CT_STATUS.EXPECTED], ['SEEN_REPLY', CT_STATUS.SEEN_REPLY], ['ASSURED', CT_STATUS.ASSURED], ['CONFIRMED', CT_STATUS.CONFIRMED]]

/** The states that `-m state` knows. */
export const states = abbreviatedNames(TRIED_STATES, PRINTED_STATES, 'state')

/** The states that `-m conntrack` knows: SNAT and DNAT too. */
export const ctStates = abbreviatedNames([...TRIED_STATES, ...NAT_STATES], [...PRINTED_STATES, ...NAT_STATES], 'state')

/** Statuses; NONE adds nothing. */
export const ctStatuses = abbreviatedNames(STATUSES, STATUSES, 'status')
