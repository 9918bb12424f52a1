// Chats by OpenAI's own client for JavaScript; prints the error and how often it asked, as JSON.
import OpenAI from 'openai'

const [baseURL, apiKey] = process.argv.slice(2)
let asked = 0
const client = new OpenAI({
  baseURL,
  apiKey,
  fetch: (...request) => {
    asked += 1
    return fetch(...request)
  },
})
let code = null
try {
  await client.chat.completions.create({ model: 'chat', messages: [{ role: 'user', content: 'hi' }] })
} catch (error) {
  code = error.code ?? String(error)
}
console.log(JSON.stringify({ code, asked }))
