use super::*;

fn compressed(bytes: &[u8], level: i32) -> Vec<u8> {
    Compressor::new(level).unwrap().compress(bytes).unwrap()
}

#[test]
fn what_was_compressed_comes_back() {
    let text = b"now and then, ".repeat(1000);
    for level in [1, 3, 19] {
        assert!(crate::compression_level_range().contains(&level));
        let frame = compressed(&text, level);
        assert!(frame.len() < text.len() / 10, "{} bytes", frame.len());
        let mut decompressor = Decompressor::new().unwrap();
        for _ in 0..2 {
            let mut back = Vec::with_capacity(text.len());
            assert_eq!(
                decompressor.decompress_to_buffer(&frame, &mut back).unwrap(),
                text.len()
            );
            assert_eq!(back, text);
        }
    }
}

#[test]
fn a_level_decides_how_much_is_tried() {
    let numbers: Vec<u8> = (0..100_000_u32)
        .flat_map(|n| (n % 1009 * (n % 31)).to_le_bytes())
        .collect();
    assert!(compressed(&numbers, 19).len() < compressed(&numbers, 1).len());
}

#[test]
fn a_context_is_good_after_a_frame_that_was_broken() {
    let text = b"now and then, ".repeat(100);
    let frame = compressed(&text, 1);
    let mut broken = frame.clone();
    broken.truncate(frame.len() / 2);
    for source in [broken.as_slice(), b"no frame at all"] {
        let mut back = Vec::with_capacity(text.len());
        let mut decompressor = Decompressor::new().unwrap();
        decompressor.decompress_to_buffer(source, &mut back).unwrap_err();
        drop(decompressor);
        let mut decompressor = Decompressor::new().unwrap();
        decompressor.decompress_to_buffer(&frame, &mut back).unwrap();
        assert_eq!(back, text);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let frame = compressed(&[7; 100], 1);
    let mut back = Vec::with_capacity(99);
    Decompressor::new()
        .unwrap()
        .decompress_to_buffer(&frame, &mut back)
        .unwrap_err();
    let mut none = Vec::new();
    Compressor::new(1)
        .unwrap()
        .compress_to_buffer(&frame, &mut none)
        .unwrap_err();
}

#[test]
fn contexts_are_made_when_they_are_needed_and_few_are_kept() {
    let frame = compressed(&[7; 100], 1);
    let mut all: Vec<_> = (0..2 * pool::KEPT).map(|_| Decompressor::new().unwrap()).collect();
    assert!(all.iter().all(|decompressor| decompressor.context.is_none()));
    for decompressor in &mut all {
        let mut back = Vec::with_capacity(100);
        decompressor.decompress_to_buffer(&frame, &mut back).unwrap();
        assert!(decompressor.context.is_some());
    }
    drop(all);
    let idle = pool::idle();
    // Tests beside this one may hold some of them.
    assert!(idle > 0 && idle <= pool::KEPT, "{idle} are idle");
}
