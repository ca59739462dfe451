fn main() {
    println!("the tide is {}", std::env::args().nth(1).unwrap_or("high".into()));
}
