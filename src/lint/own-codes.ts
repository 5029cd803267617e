/** The codes of the linter's bookkeeping: what it says about suppressions, not about rulesets. */

/** Their ids and words, as a rule has them. */
export const OWN_CODES = [
  { id: 'unused-suppression', what: 'a suppression suppresses nothing', why: 'what it was for is gone, and the next finding of the kind would go unseen' },
  { id: 'expired-suppression', what: 'a suppression has ended', why: 'its `until` date is over: what it was for counts again' },
  { id: 'suppression-without-reason', what: 'a suppression has no reason', why: 'who reads it later cannot tell whether it still holds, so it does not count' },
] as const
