/** What the files of generated rules are called. */

import type { Family } from '../../src/net/address.ts'

/** Names within a folder. */
export const DOCKER_FILES: Readonly<Record<Family, string>> = { ipv4: 'rules.v4', ipv6: 'rules.v6' }
