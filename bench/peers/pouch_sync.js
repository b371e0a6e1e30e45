// PouchDB (LevelDB on disk at both ends) replicating from express-pouchdb, with the records of a file as documents.
//
//     node pouch_sync.js RECORDS.tsv CHANGES
//
// Prints one line of JSON: milliseconds for "full", "delta" and "same". One run: a full load takes many seconds.
// express-pouchdb stands in for CouchDB, which is no package of Debian.

const fs = require('fs')
const os = require('os')
const path = require('path')
const readline = require('readline')
const express = require('express')
const PouchDB = require('pouchdb')

const [records, changes] = [process.argv[2], Number(process.argv[3])]
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pouch-'))
const Server = PouchDB.defaults({ prefix: path.join(folder, 'server') + path.sep })
const Client = PouchDB.defaults({ prefix: path.join(folder, 'client') + path.sep })
fs.mkdirSync(path.join(folder, 'server'))
fs.mkdirSync(path.join(folder, 'client'))

async function fill (db) {
  const docs = []
  for await (const line of readline.createInterface({ input: fs.createReadStream(records) })) {
    const [key, content] = line.split('\t', 2)
    docs.push({ _id: key, content })
  }
  for (let at = 0; at < docs.length; at += 5000) await db.bulkDocs(docs.slice(at, at + 5000))
  return docs.length
}

async function timed (work) {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function main () {
  const source = new Server('items')
  const count = await fill(source)
  const app = express()
  app.use('/', require('express-pouchdb')(Server, { inMemoryConfig: true, logPath: path.join(folder, 'log') }))
  const server = await new Promise(resolve => { const one = app.listen(0, '127.0.0.1', () => resolve(one)) })
  const url = `http://127.0.0.1:${server.address().port}/items`
  const target = new Client('items')
  const pull = () => target.replicate.from(url, { batch_size: 5000 })

  const full = await timed(pull)
  if ((await target.info()).doc_count !== count) throw new Error('not everything arrived')
  const { rows } = await source.allDocs({ limit: changes, include_docs: true })
  await source.bulkDocs(rows.map(row => ({ ...row.doc, content: row.doc.content + ' changed' })))
  const delta = await timed(pull)
  const same = await timed(pull)
  console.log(JSON.stringify({ full: [full], delta: [delta], same: [same], records: count }))
  server.close()
  await target.close()
  fs.rmSync(folder, { recursive: true, force: true })
  process.exit(0)
}

main().catch(error => { console.error(error.message); process.exit(1) })
