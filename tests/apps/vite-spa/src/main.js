document.querySelector("#root").textContent = `${import.meta.env.VITE_TITLE} at ${location.pathname}`;
