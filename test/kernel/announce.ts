/** Says before and after the tests whether the real kernel was asked or its recorded answers were replayed. */

import { kernel } from './live.ts'

export default function announce(): () => void {
  const { live, why, iptables } = kernel()
  const line = live ? `kernel tests: live, ${iptables}` : `kernel tests: recorded answers replayed (${why})`
  console.log(line)
  return () => console.log(`\n${line}`)
}
