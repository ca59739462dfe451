const app: HTMLElement = document.querySelector("#app")!;
app.textContent = location.pathname;
