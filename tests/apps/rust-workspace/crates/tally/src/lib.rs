pub fn said(number: u64) -> String {
    format!("counted by itoa: {}", itoa::Buffer::new().format(number * 7))
}
