// Names for the clients of this page. Each window has another family name, so that two windows
// rarely have the same users.

const FIRST = 'Ada Bob Cleo Dan Eve Finn Gus Hana Ivo Jana Kai Lea Max Nora Otto Pia'.split(' ')
const FAMILIES =
  'Adler Berg Cruz Dahl Eder Frost Gray Hale Ito Jung Klein Lund Moss Novak Okoye Park Quist Reed Silva Toth Urban Vega Ward Young Zhao'.split(
    ' ',
  )

const start = Math.floor(Math.random() * FAMILIES.length)

/** The name of a client. @param {number} index 0 for the page's first client */
export function nameOf(index) {
  const family = FAMILIES[(start + Math.floor(index / FIRST.length)) % FAMILIES.length]
  return `${FIRST[index % FIRST.length]} ${family}`
}
