import { TokenSocket } from '@token-socket/client'
import { createElement, StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

function Status() {
  const [state, setState] = useState('…')
  useEffect(() => {
    const socket = new TokenSocket({ host: import.meta.env.VITE_HOST })
    socket.on('state', setState)
    return () => void socket.end()
  }, [])
  return createElement('p', { id: 'state' }, state)
}

createRoot(document.body).render(createElement(StrictMode, null, createElement(Status)))
