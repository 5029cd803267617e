/** Users and groups that every Debian system has. Source: /usr/share/base-passwd. */

const USERS = byName('root 0, daemon 1, bin 2, sys 3, sync 4, games 5, man 6, lp 7, mail 8, news 9, uucp 10, proxy 13, www-data 33, backup 34, list 38, irc 39, _apt 42, nobody 65534')
const GROUPS = byName(`root 0, daemon 1, bin 2, sys 3, adm 4, tty 5, disk 6, lp 7, mail 8, news 9, uucp 10, man 12, proxy 13, kmem 15, dialout 20, fax 21,
voice 22, cdrom 24, floppy 25, tape 26, sudo 27, audio 29, dip 30, www-data 33, backup 34, operator 37, list 38, irc 39, src 40, shadow 42, utmp 43,
video 44, sasl 45, plugdev 46, staff 50, games 60, users 100, nogroup 65534`)

/** Returns the number of a user, undefined for one that not every system has. */
export function userNumber(name: string): number | undefined {
  return USERS.get(name)
}

/** Returns the number of a group, undefined for one that not every system has. */
export function groupNumber(name: string): number | undefined {
  return GROUPS.get(name)
}

function byName(list: string): ReadonlyMap<string, number> {
  return new Map(list.split(',').map(entry => {
    const [name = '', number = ''] = entry.trim().split(' ')
    return [name, Number(number)]
  }))
}
