use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use tokio_util::io::StreamReader;

use super::*;

/// A text that arrives in pieces of so many bytes.
async fn lines_of(text: &[u8], piece: usize) -> Lines {
    let pieces: Vec<io::Result<bytes::Bytes>> = text.chunks(piece).map(|piece| Ok(piece.to_vec().into())).collect();
    Lines::of(StreamReader::new(futures::stream::iter(pieces).boxed()))
        .await
        .expect("a first piece")
}

/// Offset, content and whether it is ended, of every line; and the error that it ended with.
async fn read(mut lines: Lines) -> (Vec<(u64, Option<String>, bool)>, Option<io::Error>) {
    let mut read = Vec::new();
    loop {
        match lines.next().await {
            Ok(Some(line)) => {
                let text = line.bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                read.push((line.offset, text, line.is_ended));
            }
            Ok(None) => return (read, None),
            Err(error) => return (read, Some(error)),
        }
    }
}

fn line(offset: u64, text: &str, is_ended: bool) -> (u64, Option<String>, bool) {
    (offset, Some(text.to_owned()), is_ended)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

#[tokio::test]
async fn lines_end_with_either_end_and_blank_ones_are_passed_over_however_the_text_is_cut() {
    let text = b"\xef\xbb\xbfone\r\n\n  \r\ntwo\n\tthree";
    for piece in 1..=text.len() {
        let (read, error) = read(lines_of(text, piece).await).await;
        assert!(error.is_none());
        let expected = [line(3, "one", true), line(13, "two", true), line(17, "\tthree", false)];
        assert_eq!(read, expected, "in pieces of {piece}");
    }
}

#[tokio::test]
async fn an_empty_text_has_no_lines() {
    for text in [&b""[..], b"\n\n", b"\xef\xbb\xbf", b"\r\n"] {
        assert_eq!(read(lines_of(text, 1).await).await.0, []);
    }
}

#[tokio::test]
async fn a_line_of_a_mebibyte_is_held_and_a_longer_one_passed_with_its_length_and_hash() {
    let longest = vec![b'x'; LONGEST_LINE];
    for extra in [1, 1000, 3 * LONGEST_LINE] {
        let long = vec![b'y'; LONGEST_LINE + extra];
        let text = [&longest[..], b"\n", &long[..], b"\nnext\n"].concat();
        let mut lines = lines_of(&text, 8192).await;
        assert_eq!(lines.next().await.unwrap().unwrap().bytes, Some(&longest[..]));
        let passed = lines.next().await.unwrap().unwrap();
        assert_eq!(passed.offset, LONGEST_LINE as u64 + 1);
        assert_eq!(
            (passed.length, passed.bytes, passed.is_ended),
            (long.len() as u64, None, true)
        );
        assert_eq!(passed.hash.hex(), blake3::hash(&long).to_hex().to_string());
        assert!(lines.line.capacity() <= 3 * LONGEST_LINE, "the long line is held");
        let next = lines.next().await.unwrap().unwrap();
        assert_eq!((next.offset, next.bytes), ((text.len() - 5) as u64, Some(&b"next"[..])));
        assert_eq!(lines.next().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_long_line_that_is_the_last_one_says_that_it_is_not_ended() {
    let text = vec![b'y'; LONGEST_LINE + 1];
    let mut lines = lines_of(&text, 4096).await;
    assert!(!lines.next().await.unwrap().unwrap().is_ended);
    assert_eq!(lines.next().await.unwrap(), None);
}

#[tokio::test]
async fn gzip_is_told_by_its_first_byte_and_read_member_after_member() {
    let text = [gzip(b"one\ntw"), gzip(b"o\nthree\n")].concat();
    let (read, error) = read(lines_of(&text, 7).await).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(
        read,
        [line(0, "one", true), line(4, "two", true), line(8, "three", true)]
    );
}

#[tokio::test]
async fn of_gzip_that_breaks_off_the_whole_lines_come_before_the_error() {
    let mut noise = blake3::Hasher::new();
    let text: String = (0..2000)
        .map(|n: u32| format!("{n} {}\n", noise.update(&n.to_le_bytes()).finalize()))
        .collect();
    let packed = gzip(text.as_bytes());
    let mut lines = lines_of(&packed[..packed.len() * 2 / 3], 4096).await;
    let mut whole = 0;
    let error = loop {
        match lines.next().await {
            Ok(line) => {
                let line = line.expect("it broke off");
                assert!(line.is_ended && text.contains(std::str::from_utf8(line.bytes.unwrap()).unwrap()));
                whole += 1;
            }
            Err(error) => break error,
        }
    };
    assert!(whole > 1000, "{whole} lines");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let (offset, held) = lines.unread();
    assert!(text[offset as usize..].starts_with(std::str::from_utf8(held).unwrap()));
    assert_eq!(text[..offset as usize].lines().count(), whole);
}
