//! Arrays go to a file that NumPy reads.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use npyz::WriterBuilder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// `Arrays` is an archive that holds one file per array.
pub struct Arrays(ZipWriter<BufWriter<File>>);

impl Arrays {
    /// Creates the archive.
    ///
    /// # Errors
    /// Those of creating the file.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(ZipWriter::new(BufWriter::new(File::create(path)?))))
    }

    /// Writes an array of this shape, whose values come in the order of C.
    ///
    /// # Errors
    /// Those of writing the file; one if there are more or fewer values.
    pub fn put<T: npyz::AutoSerialize>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl Iterator<Item = T>,
    ) -> io::Result<()> {
        let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let stored = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            // More than 4 GiB do not fit the sizes of a plain entry.
            .large_file(shape.iter().product::<u64>() >= 1 << 28);
        self.0.start_file(format!("{name}.npy"), stored)?;
        let mut array = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&shape)
            .writer(&mut self.0)
            .begin_nd()?;
        array.extend(values)?;
        array.finish()
    }

    /// Ends the archive, and waits until it is on the disk.
    ///
    /// # Errors
    /// Those of writing the file.
    pub fn finish(self) -> io::Result<()> {
        self.0
            .finish()?
            .into_inner()
            .map_err(|e| e.into_error())?
            .sync_all()
    }
}

/// Lists the values of rows.
pub fn flat(rows: &[Vec<f64>]) -> impl Iterator<Item = f64> {
    rows.iter().flatten().copied()
}

/// Lists the whole numbers of rows.
pub fn whole(rows: &[Vec<usize>]) -> impl Iterator<Item = i64> {
    rows.iter().flatten().map(|&i| i as i64)
}
