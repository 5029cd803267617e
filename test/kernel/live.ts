/** Whether this machine's kernel can be asked: root, the programs, and leave to make network namespaces. */

import { spawnSync } from 'node:child_process'

/** What can be compared with. `why` says what is missing where it is not live. */
export interface Kernel {
  readonly live: boolean
  readonly why: string
  readonly iptables: string
}

let known: Kernel | undefined

/** Returns what can be asked; looked up once. `FIVEBYFIVE_KERNEL=off` answers as a machine without root does. */
export function kernel(): Kernel {
  known ??= look()
  return known
}

function look(): Kernel {
  const no = (why: string): Kernel => ({ live: false, why, iptables: '' })
  if (process.env['FIVEBYFIVE_KERNEL'] === 'off') return no('switched off by FIVEBYFIVE_KERNEL=off')
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return no('not root on Linux')
  const version = spawnSync('iptables-legacy', ['--version'], { encoding: 'utf8' })
  if (version.status !== 0) return no('iptables-legacy is not installed')
  if (spawnSync('iptables-nft', ['--version']).status !== 0) return no('iptables-nft is not installed')
  if (spawnSync('ip', ['-V']).status !== 0) return no('ip (iproute2) is not installed')
  const load = spawnSync('unshare', ['-n', 'sh', '-c', 'iptables-legacy -t nat -L -n && iptables-nft -t nat -L -n && ip link add v1 type veth peer name v2'], { encoding: 'utf8' })
  if (load.status !== 0) return no(`network namespaces or ip_tables cannot be used: ${load.stderr.trim().split('\n')[0] ?? ''}`)
  return { live: true, why: '', iptables: version.stdout.trim() }
}
